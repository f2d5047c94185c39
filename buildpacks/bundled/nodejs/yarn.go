package nodejs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// tuneBerry sets what Yarn 2 and newer read. An app that has its packages in
// its repository, as archives, needs no downloads.
func (b *build) tuneBerry(ctx context.Context, d *downloads) error {
	b.env["YARN_ENABLE_GLOBAL_CACHE"] = "false"
	b.env["YARN_ENABLE_COLORS"] = "false"
	b.env["npm_config_cache"] = d.npm()
	if b.zeroInstall() {
		return nil
	}
	b.env["YARN_CACHE_FOLDER"] = d.packages()
	linker, err := b.ask(ctx, "yarn", "config", "get", "nodeLinker")
	if err != nil {
		return err
	}
	// Plug'n'Play loads packages out of the archives.
	d.launch = strings.HasSuffix(linker, "pnp")
	return nil
}

// zeroInstall tells whether the app brings the archives of its packages.
func (b *build) zeroInstall() bool {
	entries, err := os.ReadDir(b.appFile(".yarn/cache"))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			return true
		}
	}
	return false
}

func (b *build) berryInstall() []string {
	args := []string{"yarn", "install", "--inline-builds", b.either("--immutable", "--no-immutable")}
	if b.zeroInstall() {
		args = append(args, "--immutable-cache")
	}
	return args
}

// berryPrune is nil where Yarn cannot do it.
func (b *build) berryPrune() []string {
	if b.manager.version.Major() < 4 && !b.hasWorkspaceTools() {
		b.out.Detail("Skipping because Yarn %s needs its plugin workspace-tools for that:", b.manager.version)
		b.out.Detail("run 'yarn plugin import workspace-tools' and commit what it adds")
		return nil
	}
	return []string{"yarn", "workspaces", "focus", "--all", "--production"}
}

func (b *build) hasWorkspaceTools() bool {
	found, err := filepath.Glob(b.appFile(".yarn/plugins/@yarnpkg/plugin-workspace-tools.*"))
	return err == nil && len(found) > 0
}
