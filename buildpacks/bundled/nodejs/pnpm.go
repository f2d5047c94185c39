package nodejs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/Masterminds/semver/v3"

	"slipway/buildpacks/bundled/cnb"
)

// asIs keeps pnpm, at build and at launch, from fetching another version of itself,
// and from installing once more what was pruned.
var asIs = map[string]string{
	"npm_config_manage_package_manager_versions": "false",
	"npm_config_verify_deps_before_run":          "false",
	"pnpm_config_pm_on_fail":                     "ignore", // since pnpm 11
	"pnpm_config_verify_deps_before_run":         "false",
}

func (b *build) tunePNPM(d *downloads) {
	for _, prefix := range []string{"npm_config_", "pnpm_config_"} { // pnpm 11 and newer read the latter
		b.env[prefix+"store_dir"] = d.packages()
		b.env[prefix+"confirm_modules_purge"] = "false" // there is nobody to ask
		b.env[prefix+"update_notifier"] = "false"
	}
	maps.Copy(b.env, asIs)
}

// ignoresScripts is the first pnpm that can prune without running scripts.
var ignoresScripts = semver.New(8, 15, 7, "", "")

// pnpmScripts are what a pnpm that prunes may run, which can break a build whose
// tools are just going.
var pnpmScripts = []string{"pnpm:devPreinstall", "preinstall", "install", "postinstall", "prepare"}

// pnpmPrune is nil where pnpm cannot do it safely.
func (b *build) pnpmPrune() []string {
	if !b.manager.version.LessThan(ignoresScripts) {
		return []string{"pnpm", "prune", "--prod", "--ignore-scripts"}
	}
	if name := scriptOf(b.pkg); name != "" {
		b.out.Detail("Skipping because pnpm %s would run the script '%s' of package.json:", b.manager.version, name)
		b.out.Detail("ask for pnpm 8.15.7 or newer, which does not")
		return nil
	}
	return []string{"pnpm", "prune", "--prod"}
}

func scriptOf(pkg *packageFile) string {
	for _, name := range pnpmScripts {
		if pkg.script(name) != "" {
			return name
		}
	}
	return ""
}

// pruneWorkspace installs a workspace anew without what only the build needed:
// `pnpm prune` looks at its root only. It does nothing where there are no
// packages in the workspace.
func (b *build) pruneWorkspace(ctx context.Context) (done bool, err error) {
	text, err := b.ask(ctx, "pnpm", "list", "--depth", "-1", "--json", "--recursive")
	if err != nil {
		return false, err
	}
	dirs := projectsOf(text)
	if len(dirs) < 2 {
		return false, nil
	}
	var modules []string
	for _, dir := range dirs {
		rel, err := filepath.Rel(b.app, dir)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		pkg, err := readPackage(os.DirFS(dir))
		if err != nil {
			return false, fmt.Errorf("prune %s: %w", rel, err)
		}
		if name := scriptOf(pkg); name != "" {
			b.out.Detail("Skipping because pnpm would run the script '%s' of %s", name, filepath.Join(rel, packageJSON))
			return true, nil
		}
		modules = append(modules, filepath.Join(dir, "node_modules"))
	}
	for _, dir := range modules {
		if err := os.RemoveAll(dir); err != nil {
			return false, fmt.Errorf("prune the workspace: %w", err)
		}
	}
	args := []string{"pnpm", "install", "--prod", "--prefer-offline", b.either("--frozen-lockfile", "--no-lockfile")}
	err = b.command(ctx, &failureLog{}, args...)
	if errors.Is(err, cnb.ErrExit) {
		return false, b.out.Fail(pruneFailed, strings.Join(args, " "), skipPruning(b.manager))
	}
	return true, err
}

// projectsOf reads the directories in what `pnpm list --json` prints, perhaps
// after a warning.
func projectsOf(text string) []string {
	_, text, _ = strings.Cut(text, "[")
	var projects []struct{ Path string }
	if json.Unmarshal([]byte("["+text), &projects) != nil {
		return nil
	}
	var dirs []string
	for _, p := range projects {
		dirs = append(dirs, p.Path)
	}
	return dirs
}
