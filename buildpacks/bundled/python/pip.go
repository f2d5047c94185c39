package python

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"slipway/buildpacks/bundled/cnb"
)

// install fills the dependencies layer, from scratch if its manager does not
// remove what is not asked for any more.
func (b *build) install(ctx context.Context, l *dependenciesLayer) error {
	if !l.update {
		if err := l.venv(); err != nil {
			return err
		}
	}
	install := pipInstall
	if l.manager != nil {
		install = l.manager.install
	}
	// Editable packages of repositories go there. It stays only if it is used.
	src := filepath.Join(l.dir, "src")
	if err := os.MkdirAll(src, 0o755); err != nil {
		return fmt.Errorf("make room for editable packages: %w", err)
	}
	err := install(ctx, b, l)
	_ = os.Remove(src)
	if err != nil {
		return err
	}
	if l.asked.empty {
		l.django = false
		return nil
	}
	if err := b.compile(ctx, l.dir, l.runtime); err != nil {
		return err
	}
	l.django = cnb.IsFile(filepath.Join(l.site(), "django", "__init__.py"))
	b.out.Step("Saving cache")
	return nil
}

func pipInstall(ctx context.Context, b *build, l *dependenciesLayer) error {
	b.out.Step("Installing dependencies using 'pip install -r %s'", requirementsTxt)
	if l.asked.empty {
		b.out.Detail("%s asks for no packages", requirementsTxt)
		return nil
	}
	log := &installLog{}
	out := &cnb.Indenter{W: b.out.W, See: log.see}
	cmd := cnb.Command{
		Dir: b.app, Env: b.env, Out: out,
		Args: b.pipCommand(l, "--requirement", requirementsTxt, "--exists-action=w", "--src", filepath.Join(l.dir, "src")),
	}
	err := errors.Join(cmd.Run(ctx), out.Close())
	return b.installed(err, log)
}

// pipCommand is the builder's pip that installs into l.
func (b *build) pipCommand(l *dependenciesLayer, args ...string) []string {
	command := append([]string{
		filepath.Join(b.runtime.home, "bin", "python3"), "-m", "pip", "--python", l.bin("python"), "install",
	}, args...)
	return append(command, "--disable-pip-version-check", "--no-cache-dir", "--no-compile", "--no-input",
		"--progress-bar=off", "--root-user-action=ignore")
}

// compile makes the bytecode of a virtual environment that package managers
// were told not to make. It names no times and is not checked against the
// sources, whose times the image does not keep.
func (b *build) compile(ctx context.Context, venv string, rt runtime) error {
	out := &cnb.Indenter{W: b.out.W}
	cmd := cnb.Command{
		Dir: venv, Out: out,
		Env: b.env.With("PYTHONHASHSEED", "0"), // sets in bytecode are in its order
		Args: []string{
			filepath.Join(venv, "bin", "python"), "-m", "compileall", "-q", "-q",
			"--invalidation-mode", "unchecked-hash", site(venv, rt),
		},
	}
	err := errors.Join(cmd.Run(ctx), out.Close())
	if err != nil && !errors.Is(err, cnb.ErrExit) { // some packages bring templates that are no Python
		return fmt.Errorf("compile the installed packages: %w", err)
	}
	return nil
}
