package golang

import (
	"bytes"
	"context"
	"errors"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// A program is a main package of the app.
type program struct {
	path string // import path
	dir  string // below the app, with slashes; "." is its root
}

// name is what the go command calls the program.
func (p program) name() string { return programName(p.path) }

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

func programName(importPath string) string {
	name := path.Base(importPath)
	if dir := path.Dir(importPath); majorVersion.MatchString(name) && dir != "." {
		name = path.Base(dir)
	}
	return name
}

// packages are what is compiled: what the app asks for, or else its programs.
func (b *build) packages(ctx context.Context, env cnb.Environment) ([]string, error) {
	if spec := strings.Fields(env["GO_INSTALL_PACKAGE_SPEC"]); len(spec) > 0 {
		b.out.Step("Using the packages of GO_INSTALL_PACKAGE_SPEC")
		return spec, nil
	}
	if len(b.mod.install) > 0 {
		b.out.Step("Using the packages of '// +heroku install' in go.mod")
		return b.mod.install, nil
	}
	found, err := b.programs(ctx, env)
	if err != nil {
		return nil, err
	}
	chosen, left := choosePrograms(found, b.commands())
	if len(chosen) == 0 {
		return nil, b.noPrograms()
	}
	if len(left) > 0 {
		b.out.Step("Not compiling %s", strings.Join(left, ", "))
		b.out.Detail("A line '// +heroku install PACKAGE...' in go.mod would choose other programs")
	}
	return chosen, nil
}

// choosePrograms takes the program in the root and those below cmd, and those
// that a process of the Procfile calls; all, if these are none.
func choosePrograms(found []program, commands string) (chosen, left []string) {
	words := strings.FieldsFunc(commands, func(r rune) bool { return strings.ContainsRune(" \t\n'\"/;&|()", r) })
	for _, p := range found {
		if p.dir == "." || p.dir == "cmd" || strings.HasPrefix(p.dir, "cmd/") || slices.Contains(words, p.name()) {
			chosen = append(chosen, p.path)
		} else {
			left = append(left, p.path)
		}
	}
	if len(chosen) == 0 {
		return left, nil
	}
	return chosen, left
}

// commands are those of the Procfile, one a line.
func (b *build) commands() string {
	var text strings.Builder
	for _, p := range b.plan.Processes {
		text.WriteString(p.Command + "\n")
	}
	return text.String()
}

// programs lists the app's main packages.
func (b *build) programs(ctx context.Context, env cnb.Environment) ([]program, error) {
	const format = "{{if eq .Name \"main\"}}{{.ImportPath}}\t{{.Dir}}{{end}}"
	args := append([]string{"list", "-f", format}, b.patterns()...)
	var list bytes.Buffer
	if err := b.goCommand(ctx, env, &list, args, "list the packages of your app"); err != nil {
		return nil, err
	}
	app, err := filepath.EvalSymlinks(b.app)
	if err != nil {
		return nil, err
	}
	var found []program
	for line := range strings.Lines(list.String()) {
		importPath, dir, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return nil, err
		}
		if dir, err = filepath.Rel(app, dir); err != nil {
			return nil, err
		}
		found = append(found, program{importPath, filepath.ToSlash(dir)})
	}
	return found, nil
}

// patterns are all packages of the app. Without a module in the root, they are
// those of the modules that go.work names.
func (b *build) patterns() []string {
	if cnb.Exists(b.appFile("go.mod")) || len(b.mod.used) == 0 {
		return []string{"./..."}
	}
	var patterns []string
	for _, dir := range b.mod.used {
		patterns = append(patterns, "./"+path.Join(path.Clean(filepath.ToSlash(dir)), "..."))
	}
	return patterns
}

// goCommand runs the go command. Its output goes to the transcript, but for what
// stdout takes of it, if that is not nil.
func (b *build) goCommand(ctx context.Context, env cnb.Environment, stdout *bytes.Buffer, args []string, doing string) error {
	log := &goLog{}
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	program := filepath.Join(b.layers.Path, toolchainLayerName, "bin", "go")
	cmd := cnb.Command{Dir: b.app, Env: env, Out: out, Args: append([]string{program}, args...)}
	if stdout != nil {
		cmd.Stdout = stdout
	}
	err := errors.Join(cmd.Run(ctx), out.Close())
	if err == nil || !errors.Is(err, cnb.ErrExit) {
		return err
	}
	if log.hint != "" {
		return b.out.Fail("%s", log.hint)
	}
	return b.out.Fail("Error: Unable to %s.\n\nSee the log output above for more information.", doing)
}
