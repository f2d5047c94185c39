package workbench_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

func TestShrinkFindsWhatDecides(t *testing.T) {
	t.Parallel()
	big := map[string]string{
		"Gemfile": "", "rake": "", "Procfile": "web: x\n", "docs/": "", ".python-version": "3.13",
		workbench.ExpectationFile: "{}", "link": "-> lib/deep/er/one", "dangling": "-> nowhere",
	}
	for i := range 60 {
		big[fmt.Sprintf("lib/%d/file%d", i%7, i)] = "x"
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		packs []string
		want  []string
	}{
		{"two files of many", big, []string{"rake"}, []string{"Gemfile", "rake"}},
		{"a file deep down", big, []string{"lib/3/file45"}, []string{"Gemfile", "lib/3/file45"}},
		{"files in several directories", big, []string{"lib/3/file45", "rake", "lib/0/file7", "lib/1/file1"}, []string{"Gemfile", "lib/0/file7", "lib/1/file1", "lib/3/file45", "rake"}},
		{"an empty directory", big, []string{"docs"}, []string{"Gemfile", "docs/"}},
		{"a directory for what is in it", map[string]string{"venv/a": "", "venv/b": "", "x": ""}, nil, []string{"venv/a"}},
		{"nothing decides", map[string]string{"README": "", "docs/x": ""}, nil, []string{}},
		{"one file", map[string]string{"Gemfile": ""}, nil, []string{"Gemfile"}},
		{"an empty app", nil, nil, []string{}},
		{"either of two files", map[string]string{"requirements.txt": "", "setup.py": "", "app.py": "", "x/requirements.txt": ""}, nil, []string{"requirements.txt"}},
	} {
		for _, how := range []string{"in process", "sandbox", "none"} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				t.Parallel()
				dir := tree(t, c.files)
				d := fake{inProcess: how == "in process", packs: c.packs, how: how}
				d.after = func(_ *detector.Report, fsys fs.FS, _ detector.Options) {
					if _, err := fs.Stat(fsys, workbench.ExpectationFile); err == nil {
						t.Error("detection sees the expectation")
					}
				}
				to := filepath.Join(t.TempDir(), "to")
				s, err := workbench.Shrink(t.Context(), d, dir, workbench.ShrinkConfig{To: to})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(s.Files, c.want) || s.Stopped != "" {
					t.Errorf("Shrink = %q (%s), want %q", s.Files, s.Stopped, c.want)
				}
				if s.Report.Dir != dir {
					t.Errorf("the report is about %s, want %s", s.Report.Dir, dir)
				}
				if got := leaves(t, to); !slices.Equal(got, c.want) {
					t.Errorf("written is %q, want %q", got, c.want)
				}
				if s.Tried > 250 {
					t.Errorf("Shrink tried %d sets", s.Tried)
				}
			})
		}
	}
}

// leaves are files and empty directories.
func leaves(t *testing.T, dir string) []string {
	t.Helper()
	all := []string{}
	for _, line := range listing(t, os.DirFS(dir)) {
		name, _, _ := strings.Cut(line, " ")
		if n := len(all); n > 0 && strings.HasSuffix(all[n-1], "/") && strings.HasPrefix(name, all[n-1]) {
			all = all[:n-1]
		}
		all = append(all, name)
	}
	return all
}

// A script that writes into its app must not change the answers that follow.
func TestShrinkSurvivesScriptsThatWrite(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": "", "rake": "", "lib/a": "a", "lib/b": "b", "c": ""})
	d := fake{packs: []string{"rake"}, how: "none"}
	d.before = func(_ context.Context, dir string) {
		_ = os.WriteFile(filepath.Join(dir, "rake"), nil, 0o600) // what a bad script does
		_ = os.MkdirAll(filepath.Join(dir, "venv"), 0o700)
		_ = os.Remove(filepath.Join(dir, "lib", "a"))
	}
	before := listing(t, os.DirFS(dir))
	s, err := workbench.Shrink(t.Context(), d, dir, workbench.ShrinkConfig{})
	if want := []string{"Gemfile"}; err != nil || !slices.Equal(s.Files, want) {
		t.Errorf("Shrink = %+v, %v, want %q", s, err, want)
	}
	if after := listing(t, os.DirFS(dir)); !slices.Equal(after, before) {
		t.Errorf("the app is %q, want it as it was", after)
	}
}

// Where files stand in for each other or hide each other, what is found still
// keeps the verdict, and no file of it can be left out.
func TestShrinkFindsALeastSet(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		files, names := map[string]string{}, []string{}
		for i := range 25 {
			name := fmt.Sprintf("%d/%d/file%d", random.IntN(3), random.IntN(3), i)
			files[name] = ""
			names = append(names, name)
		}
		// Each clause is met by its first file, unless its second is there without
		// its third.
		clauses := make([][3]string, 1+random.IntN(4))
		for i := range clauses {
			for j := range clauses[i] {
				clauses[i][j] = names[random.IntN(len(names))]
			}
		}
		verdict := func(has func(string) bool) int {
			for i, c := range clauses {
				if !has(c[0]) || has(c[1]) && !has(c[2]) {
					return i
				}
			}
			return 100
		}
		d := fake{inProcess: true, after: func(r *detector.Report, fsys fs.FS, _ detector.Options) {
			r.ExitCode = verdict(func(name string) bool {
				_, err := fs.Stat(fsys, name)
				return err == nil
			})
		}}
		s, err := workbench.Shrink(t.Context(), d, tree(t, files), workbench.ShrinkConfig{})
		if err != nil {
			t.Fatal(err)
		}
		want := s.Report.ExitCode
		without := func(gone string) int {
			return verdict(func(name string) bool { return name != gone && slices.Contains(s.Files, name) })
		}
		if got := without(""); got != want {
			t.Errorf("seed %d: the verdict of %q is %d, want %d", seed, s.Files, got, want)
		}
		for _, name := range s.Files {
			if without(name) == want {
				t.Errorf("seed %d: Shrink = %q, but %s can be left out", seed, s.Files, name)
			}
		}
	}
}

func TestShrinkStops(t *testing.T) {
	t.Parallel()
	files := map[string]string{"Gemfile": ""}
	packs := []string{}
	for i := range 40 {
		name := fmt.Sprintf("file%02d", i)
		files[name] = ""
		packs = append(packs, name)
	}
	dir := tree(t, files)
	d := fake{inProcess: true, packs: packs[:20]}
	s, err := workbench.Shrink(t.Context(), d, dir, workbench.ShrinkConfig{Runs: 30})
	if err != nil || s.Tried > 30 || !strings.Contains(s.Stopped, "30 detections") || len(s.Files) < 21 {
		t.Errorf("Shrink(30 runs) = %+v, %v, want it stopped", s, err)
	}
	s, err = workbench.Shrink(t.Context(), d, dir, workbench.ShrinkConfig{Time: 1})
	if err != nil || !strings.Contains(s.Stopped, "are over") || len(s.Files) != 41 {
		t.Errorf("Shrink(1ns) = %+v, %v, want it stopped with all files", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := workbench.ShrinkConfig{To: filepath.Join(t.TempDir(), "to"), Progress: func(_, tried int) {
		if tried == 12 {
			cancel()
		}
	}}
	s, err = workbench.Shrink(ctx, d, dir, cfg)
	if err != nil || !strings.Contains(s.Stopped, "interrupted") || len(s.Files) < 21 {
		t.Fatalf("Shrink(cancelled) = %+v, %v, want what there is", s, err)
	}
	if got := leaves(t, s.To); !slices.Equal(got, s.Files) {
		t.Errorf("written is %q, want %q", got, s.Files)
	}
}

func TestShrinkRefuses(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"Gemfile": ""})
	n := 0
	chance := fake{inProcess: true, after: func(r *detector.Report, _ fs.FS, _ detector.Options) {
		n++
		r.ExitCode = 20 + n%2
	}}
	if _, err := workbench.Shrink(t.Context(), chance, dir, workbench.ShrinkConfig{}); !errors.Is(err, workbench.ErrUnstable) {
		t.Errorf("Shrink(by chance) = %v, want ErrUnstable", err)
	}
	d := fake{inProcess: true}
	if _, err := workbench.Shrink(t.Context(), d, dir, workbench.ShrinkConfig{To: dir}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("Shrink(to what is there) = %v, want a refusal", err)
	}
	if _, err := workbench.Shrink(t.Context(), d, filepath.Join(dir, "Gemfile"), workbench.ShrinkConfig{}); err == nil {
		t.Error("Shrink(a file) has no error")
	}
	if got := listing(t, os.DirFS(dir)); !slices.Equal(got, []string{"Gemfile "}) {
		t.Errorf("the app is %q, want it as it was", got)
	}
}
