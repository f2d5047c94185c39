package nodejs

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

// tune sets what the package manager reads: where its downloads are kept, and
// that it changes nothing but the app.
func (b *build) tune(ctx context.Context, d *downloads) error {
	switch b.manager.name {
	case "yarn":
		if b.manager.berry() {
			return b.tuneBerry(ctx, d)
		}
		b.env["YARN_CACHE_FOLDER"] = d.packages()
	case "pnpm":
		b.tunePNPM(d)
	}
	b.env["npm_config_cache"] = d.npm()
	return nil
}

// install installs the app's packages, those for developers too: the build may
// need them.
func (b *build) install(ctx context.Context) error {
	if !b.locked() && len(b.pkg.Dependencies)+len(b.pkg.DevDependencies) > 0 {
		b.out.Block(noLock, b.manager.name, lockOf(b.manager.name))
	}
	args := b.installCommand()
	b.out.Detail("Installing node modules using '%s'", strings.Join(args, " "))
	log := &failureLog{}
	err := b.throughMirror(func() error { return b.command(ctx, log, args...) })
	if !errors.Is(err, cnb.ErrExit) {
		return err
	}
	if hint := log.hint(b); hint != "" {
		b.out.Block("%s", hint)
	}
	return b.out.Fail(installFailed, strings.Join(args, " "))
}

func lockOf(manager string) string {
	for _, l := range lockFiles {
		if l.manager == manager {
			return l.name
		}
	}
	return ""
}

func (b *build) installCommand() []string {
	switch {
	case b.manager.berry():
		return b.berryInstall()
	case b.manager.name == "yarn":
		args := []string{"yarn", "install", "--ignore-engines", "--prefer-offline", "--non-interactive", "--production=" + orFalse(b.env["YARN_PRODUCTION"])}
		return append(args, b.either("--frozen-lockfile", "--no-lockfile"))
	case b.manager.name == "pnpm":
		return []string{"pnpm", "install", "--reporter=append-only", "--prod=false", b.either("--frozen-lockfile", "--no-lockfile")}
	}
	args := []string{"npm", "ci"}
	if !b.locked() {
		args = []string{"npm", "install", "--no-package-lock"}
	}
	which := "--include=dev"
	if b.manager.version.Major() < 7 {
		which = "--production=" + orFalse(b.env["NPM_CONFIG_PRODUCTION"])
	} else if b.env["NPM_CONFIG_PRODUCTION"] == "true" {
		which = "--omit=dev"
	}
	return append(args, which)
}

func (b *build) either(locked, not string) string {
	if b.locked() {
		return locked
	}
	return not
}

func orFalse(s string) string {
	if s == "true" {
		return s
	}
	return "false"
}

// prune removes the packages that only the build needed.
func (b *build) prune(ctx context.Context) error {
	b.out.Step("Pruning devDependencies")
	if why := b.keepsAll(); why != "" {
		b.out.Detail("Skipping because %s", why)
		return nil
	}
	if b.manager.name == "pnpm" && cnb.IsFile(b.appFile("pnpm-workspace.yaml")) {
		done, err := b.pruneWorkspace(ctx)
		if done || err != nil {
			return err
		}
	}
	args := b.pruneCommand()
	if args == nil {
		return nil
	}
	log := &failureLog{}
	err := b.throughMirror(func() error { return b.command(ctx, log, args...) })
	if errors.Is(err, cnb.ErrExit) {
		return b.out.Fail(pruneFailed, strings.Join(args, " "), skipPruning(b.manager))
	}
	return err
}

// keepsAll is why nothing is pruned, "" if it is.
func (b *build) keepsAll() string {
	switch env := b.env["NODE_ENV"]; {
	case env == "test":
		return "NODE_ENV is 'test'"
	case env != "production":
		return "NODE_ENV is not 'production'"
	}
	name := skipPruning(b.manager)
	value := b.env[name]
	if value == "" || strings.Contains(name, "SKIP") && value != "true" {
		return ""
	}
	return name + " is '" + value + "'"
}

// skipPruning is the setting that keeps what only the build needed.
func skipPruning(m manager) string {
	switch {
	case m.berry():
		return "YARN2_SKIP_PRUNING"
	case m.name == "yarn":
		return "YARN_PRODUCTION"
	case m.name == "pnpm":
		return "PNPM_SKIP_PRUNING"
	default:
		return "NPM_CONFIG_PRODUCTION"
	}
}

func (b *build) pruneCommand() []string {
	switch {
	case b.manager.berry():
		return b.berryPrune()
	case b.manager.name == "yarn":
		return []string{
			"yarn", "install", "--ignore-engines", "--ignore-scripts", "--prefer-offline", "--non-interactive", "--production=true",
			b.either("--frozen-lockfile", "--no-lockfile"),
		}
	case b.manager.name == "pnpm":
		return b.pnpmPrune()
	case b.manager.version.Major() < 7:
		return []string{"npm", "prune", "--production"}
	case !b.locked():
		return []string{"npm", "prune", "--omit=dev", "--no-package-lock"}
	default:
		return []string{"npm", "prune", "--omit=dev"}
	}
}

// command runs a program of the build, in the app.
func (b *build) command(ctx context.Context, log *failureLog, args ...string) error {
	out := &cnb.Indenter{W: b.out.W, See: log.see, Drop: log.usage}
	env := b.env.With("PATH", b.env["PATH"]+":"+filepath.Join(b.app, "node_modules", ".bin"))
	cmd := cnb.Command{Dir: b.app, Env: env, Out: out, Args: b.found(args)}
	return errors.Join(cmd.Run(ctx), out.Close())
}
