package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// compile fills the layer of programs.
func (b *build) compile(ctx context.Context, env cnb.Environment, packages []string, l *programsLayer) error {
	if err := errors.Join(os.RemoveAll(l.dir), os.MkdirAll(l.bin(), 0o755)); err != nil {
		return fmt.Errorf("clear the layer of programs: %w", err)
	}
	args := append([]string{"build"}, b.buildFlags(env)...)
	b.out.Step("Running 'go %s'", strings.Join(append(slices.Clone(args), packages...), " "))
	args = append(append(args, "-o", l.bin()+"/"), packages...)
	if err := b.goCommand(ctx, env, nil, args, "compile your app"); err != nil {
		return err
	}
	names, err := l.names()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return b.noPrograms()
	}
	b.out.Detail("Compiled %s", strings.Join(names, ", "))
	return nil
}

// buildFlags are ours, but for what the app's GOFLAGS say already.
func (b *build) buildFlags(env cnb.Environment) []string {
	flags := []string{"-trimpath"}
	if cnb.Exists(b.appFile("vendor/modules.txt")) && !strings.Contains(env["GOFLAGS"], "-mod=") {
		flags = append(flags, "-mod=vendor")
	}
	if symbol, value := env["GO_LINKER_SYMBOL"], env["GO_LINKER_VALUE"]; symbol != "" && value != "" {
		flags = append(flags, "-ldflags", "-X '"+symbol+"="+value+"'")
	}
	return flags
}

// web is the process that answers if the Procfile declares none: the program of
// that name, the only one, or the one that is named as the module.
func (b *build) web(names []string) []libcnb.Process {
	name := ""
	switch {
	case slices.Contains(names, "web"):
		name = "web"
	case len(names) == 1:
		name = names[0]
	case slices.Contains(names, programName(b.mod.path)):
		name = programName(b.mod.path)
	}
	if name == "" {
		if _, ok := b.plan.Web(); !ok {
			b.adviseWeb(names)
		}
		return nil
	}
	return []libcnb.Process{{Type: "web", Command: quote(name), Default: true}}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9._+-]+$`)

// quote writes a program's name for bash.
func quote(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// linkPrograms lets a Procfile call them bin/NAME, as on Heroku.
func (b *build) linkPrograms(l *programsLayer, names []string) error {
	if !strings.Contains(b.commands(), "bin/") {
		return nil
	}
	if err := os.MkdirAll(b.appFile("bin"), 0o755); err != nil {
		return fmt.Errorf("make bin for the programs: %w", err)
	}
	for _, name := range names {
		to := b.appFile("bin/" + name)
		if cnb.Exists(to) {
			continue
		}
		if err := os.Symlink(l.bin()+"/"+name, to); err != nil {
			return fmt.Errorf("link a program: %w", err)
		}
	}
	return nil
}
