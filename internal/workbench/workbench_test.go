package workbench_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"slipway/buildpacks"
	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fake answers with Slipway's own detection, and with buildpacks that pass where
// there is a file of their name.
type fake struct {
	inProcess bool
	packs     []string
	how       string                                                   // of the sandbox
	before    func(ctx context.Context, dir string)                    // may be nil
	after     func(r *detector.Report, fsys fs.FS, o detector.Options) // may be nil
}

func (f fake) InProcess() bool { return f.inProcess }
func (f fake) Close() error    { return nil }

func (f fake) Detect(ctx context.Context, dir string, o detector.Options) (*detector.Report, error) {
	if f.before != nil {
		f.before(ctx, dir)
	}
	r, err := f.DetectFS(ctx, os.DirFS(dir), o)
	if r != nil {
		r.Dir = dir
	}
	return r, err
}

func (f fake) DetectFS(ctx context.Context, fsys fs.FS, o detector.Options) (*detector.Report, error) {
	app, err := buildpacks.Detect(ctx, fsys, buildpacks.Options{})
	if app == nil {
		return nil, err
	}
	r := &detector.Report{App: app, Chosen: -1, ExitCode: 20, Sandbox: detector.Sandbox{How: f.how}}
	g := detector.Group{Number: 1, Why: "no buildpack passes"}
	for _, pack := range f.packs {
		result := detector.Result{ID: "acme/" + pack, Version: "1.2.3", Outcome: detector.Fail, ExitCode: 100}
		if _, err := fs.Stat(fsys, pack); err == nil {
			result.Outcome, result.ExitCode = detector.Pass, 0
			g.Chosen = append(g.Chosen, result.ID+"@"+result.Version)
			r.Plan = append(r.Plan, detector.PlanEntry{
				Providers: []string{result.ID + "@" + result.Version}, Requires: []detector.Require{{Name: pack}},
			})
		}
		g.Results = append(g.Results, result)
	}
	if len(g.Chosen) > 0 {
		g.Passed, g.Why, r.Chosen, r.ExitCode = true, "", 0, 0
	}
	r.Groups = []detector.Group{g}
	if f.after != nil {
		f.after(r, fsys, o)
	}
	return r, ctx.Err()
}

// tree makes files below a new directory: those that end with a slash are
// directories, content that begins with "-> " makes a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(dir, name), content, strings.HasSuffix(name, "/"))
	}
	return dir
}

func write(t *testing.T, file, content string, isDir bool) {
	t.Helper()
	target, isLink := strings.CutPrefix(content, "-> ")
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	switch {
	case isDir:
		err = errors.Join(err, os.MkdirAll(file, 0o755))
	case isLink:
		err = errors.Join(err, os.Symlink(target, file))
	default:
		err = errors.Join(err, os.WriteFile(file, []byte(content), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRunKeepsTheOrder(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a/app.py": "", "b/Gemfile": "", "c/go.mod": ""})
	dirs := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "gone"), filepath.Join(dir, "c")}
	last := make(chan struct{})
	d := fake{before: func(_ context.Context, dir string) {
		switch filepath.Base(dir) {
		case "a":
			<-last // the first is done last
		case "c":
			close(last)
		}
	}}
	var got []string
	err := workbench.Run(t.Context(), workbench.Config{Detector: d, Jobs: 4}, dirs, func(r workbench.Result) error {
		language := "none"
		if r.Report != nil {
			language = r.Report.App.Language
		}
		if (r.Err != nil) != strings.HasSuffix(r.Dir, "gone") {
			t.Errorf("Run(%s) = %v", r.Dir, r.Err)
		}
		got = append(got, filepath.Base(r.Dir)+" "+language)
		return nil
	})
	if want := []string{"a python", "b ruby", "gone none", "c go"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Run = %q, %v, want %q", got, err, want)
	}
}

func TestRunEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"app.py": ""})
	enough := errors.New("enough")
	n := 0
	err := workbench.Run(t.Context(), workbench.Config{Detector: fake{}, Jobs: 2}, slices.Repeat([]string{dir}, 1000), func(workbench.Result) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("Run = %v after %d results, want %v after 3", err, n, enough)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = workbench.Run(ctx, workbench.Config{Detector: fake{}}, []string{dir}, func(workbench.Result) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run(cancelled) = %v, want %v", err, context.Canceled)
	}
}

// What an app leaves out of its build decides nothing, whichever way it is asked,
// as in a push.
func TestRunLeavesOutWhatTheAppDoes(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"requirements.txt": "", "package.json": "{}", "assets/x": "", ".slugignore": "requirements.txt\n",
		"project.toml": "[_]\nschema-version = '0.2'\n[io.buildpacks]\nexclude = ['assets']\n",
	})
	for _, inProcess := range []bool{true, false} {
		d := fake{inProcess: inProcess, packs: []string{"assets"}}
		err := workbench.Run(t.Context(), workbench.Config{Detector: d}, []string{dir}, func(r workbench.Result) error {
			if r.Err != nil || r.Report.App.Language != "nodejs" || r.Report.Chosen >= 0 || r.Report.Dir != dir {
				t.Errorf("in process %v: Run() = %+v, %v, want Node.js and no assets", inProcess, r.Report, r.Err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	bad := tree(t, map[string]string{"project.toml": "[[["})
	err := workbench.Run(t.Context(), workbench.Config{Detector: fake{}}, []string{bad}, func(r workbench.Result) error {
		if r.Err == nil || !strings.Contains(r.Err.Error(), "project.toml, line 1") {
			t.Errorf("Run() with a bad project.toml = %v, want its line", r.Err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
