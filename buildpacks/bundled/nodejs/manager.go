package nodejs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

// managerLayer comes after "node" in the alphabet, so that its npm comes before
// Node.js's own in PATH.
const managerLayer = "package-manager"

// A manager is the package manager that installs the app's packages.
type manager struct {
	name     string // "npm", "yarn" or "pnpm"
	asked    string // a range of versions, "" for the one of Node.js
	origin   string // what asked for it
	pinned   string // digest that the app names, "sha512.HEX"
	vendored string // a Yarn in the app, from its root
	version  *semver.Version
}

// berry tells whether this is Yarn 2 or newer, which is another program.
func (m manager) berry() bool { return m.name == "yarn" && m.version.Major() >= 2 }

// managerField and yarnPathLine read what detection reads.
var (
	managerField = regexp.MustCompile(`^(npm|pnpm|yarn)@\s*[vV]?(\d+\.\d+\.\d+(?:-?[0-9A-Za-z.-]+)?)\s*(?:\+(.*))?$`)
	yarnPathLine = regexp.MustCompile(`(?m)^["']?yarnPath["']?[ \t]*:[ \t]*["']?([^"'\r\n#]+?)["']?[ \t]*(?:#.*)?\r?$`)
)

// askedManager is the package manager that detection decided on, with its version.
func (b *build) askedManager() manager {
	m := manager{name: b.plan.PackageManager}
	if m.name == "" {
		m.name = "npm"
	}
	if b.pkg == nil {
		return m
	}
	if m.name == "yarn" {
		if m.vendored = b.yarnPath(); m.vendored != "" {
			m.origin = "yarnPath in .yarnrc.yml"
			return m
		}
	}
	if found := managerField.FindStringSubmatch(b.pkg.PackageManager.value); found != nil && found[1] == m.name {
		m.asked, m.pinned, m.origin = compare("", found[2]), found[3], "packageManager in package.json"
		return m
	}
	if asked := strings.TrimSpace(b.pkg.asked(m.name)); isRange(asked) {
		m.asked, m.origin = asked, "engines."+m.name+" in package.json"
		return m
	}
	switch m.name {
	case "yarn":
		m.asked, m.origin = cmp.Or(b.yarnOfLock(), "1.22.x"), "yarn.lock"
	case "pnpm":
		m.asked, m.origin = "*", "pnpm-lock.yaml"
	}
	return m
}

// packageOf is the registry's package of a package manager. Yarn 2 and newer are
// in another than Yarn 1; where a range admits both, the lock file tells.
func (b *build) packageOf(m manager) string {
	r, err := parseRange(m.asked)
	if m.name != "yarn" || err != nil {
		return m.name
	}
	old := false
	for i := range uint64(30 * 30) { // Yarn 1 ends with 1.22
		old = old || r.admits(semver.New(1, i/30, i%30, "", ""))
	}
	if old && b.yarnOfLock() == "" {
		return "yarn"
	}
	return "@yarnpkg/cli-dist"
}

// installManager makes the layer of the package manager, unless it is the npm of
// Node.js.
func (b *build) installManager(ctx context.Context, node installedNode) error {
	m := b.askedManager()
	var err error
	switch {
	case m.vendored != "":
		m.version, err = b.vendorYarn(ctx, m)
	case m.asked == "" || m.name == "npm" && m.asked == node.npm:
		m.version, err = semver.NewVersion(node.npm)
	default:
		m.version, err = b.managerLayer(ctx, m, node.version)
	}
	b.manager = m
	return err
}

func (b *build) managerLayer(ctx context.Context, m manager, node string) (*semver.Version, error) {
	l, err := b.layers.Layer(managerLayer)
	if err != nil {
		return nil, err
	}
	name := b.packageOf(m)
	rel := release{Package: name, Version: m.asked}
	metadata := func() map[string]any {
		return map[string]any{"layout": layout, "package": name, "version": rel.Version, "pinned": m.pinned, "arch": runtime.GOARCH}
	}
	kept := func() bool { return cnb.Same(l.Metadata, metadata()) && cnb.IsDir(filepath.Join(l.Path, "bin")) }
	if !kept() { // a range, or another version than last time
		have, err := b.list(ctx, name)
		if err != nil {
			return nil, err
		}
		b.out.Detail("Resolving %s version %s...", m.name, m.asked)
		var ok bool
		if rel, ok = have.newest(m.asked, runsOn(node)); !ok {
			rel, ok = have.newest(m.asked, nil) // npm and others warn, and mostly work
		}
		if !ok {
			return nil, b.out.Fail(noManager, m.name, m.origin, m.asked, strings.Join(have.majors(), ", "))
		}
	}
	if kept() {
		b.out.Detail("Using cached %s %s", m.name, rel.Version)
	} else if err := b.addManager(ctx, m, rel, l.Path); err != nil {
		return nil, err
	}
	b.onPath(filepath.Join(l.Path, "bin"))
	b.made = append(b.made, &layer{
		name: managerLayer, types: libcnb.LayerTypes{Build: true, Launch: true, Cache: true}, metadata: metadata(),
		fill: func(to *libcnb.Layer) {
			to.LaunchEnvironment.Prepend("PATH", ":", filepath.Join(to.Path, "bin"))
		},
	})
	return semver.NewVersion(rel.Version)
}

func (b *build) addManager(ctx context.Context, m manager, rel release, dir string) error {
	b.out.Detail("Downloading and installing %s (%s)", m.name, rel.Version)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clear the layer of %s: %w", m.name, err)
	}
	pinned := m.pinned
	if rel.Package == "@yarnpkg/cli-dist" {
		pinned = "" // it is the digest of the one file at repo.yarnpkg.com, which is built anew for the registry
	}
	if !rel.Needs {
		return b.addPackage(ctx, rel, pinned, dir)
	}
	return b.addByNPM(ctx, rel, pinned, dir)
}

// addByNPM adds a package that needs others: pnpm 12 and newer are a program for
// the machine, in a package of its own.
func (b *build) addByNPM(ctx context.Context, rel release, pinned, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the layer of %s: %w", rel.Package, err)
	}
	file, err := b.registry.download(ctx, rel, pinned, dir)
	if err != nil {
		return b.registryFailure(ctx, rel.Package+" "+rel.Version, err)
	}
	defer func() {
		_ = os.Remove(file.Name() + ".tgz") // otherwise it is a file too many
	}()
	if err := errors.Join(file.Close(), os.Rename(file.Name(), file.Name()+".tgz")); err != nil {
		return fmt.Errorf("keep %s: %w", rel.Package, err)
	}
	out := &cnb.Indenter{W: b.out.W}
	cmd := cnb.Command{
		Dir: dir, Out: out,
		Env: b.env.With("npm_config_cache", filepath.Join(dir, ".npm"), "npm_config_global", "true", "npm_config_prefix", dir),
		Args: []string{
			filepath.Join(b.layers.Path, nodeLayer, "bin/npm"), "install", "--loglevel=error", "--include=optional", "./" + filepath.Base(file.Name()) + ".tgz",
		},
	}
	err = errors.Join(cmd.Run(ctx), out.Close(), os.RemoveAll(filepath.Join(dir, ".npm")))
	if errors.Is(err, cnb.ErrExit) {
		return b.out.Fail(noProgram, rel.Package, rel.Version)
	}
	return err
}

// yarnPath is the Yarn that the app brings with it, "" if none.
func (b *build) yarnPath() string {
	found := yarnPathLine.FindSubmatch(readSome(b.appFile(".yarnrc.yml")))
	if found == nil {
		return ""
	}
	name := filepath.Clean(strings.TrimSpace(string(found[1])))
	if !filepath.IsLocal(name) || !cnb.IsFile(b.appFile(name)) {
		return ""
	}
	return name
}

var lockVersion = regexp.MustCompile(`(?m)^__metadata:\r?\n[ \t]+version:[ \t]*(\d+)`)

// yarnOfLock is the Yarn that a lock file is of, if that is 2 or newer: those
// refuse the lock file of another major version.
func (b *build) yarnOfLock() string {
	found := lockVersion.FindSubmatch(readSome(b.appFile("yarn.lock")))
	if found == nil {
		return ""
	}
	switch n, _ := strconv.Atoi(string(found[1])); {
	case n < 6:
		return "2.x"
	case n < 8:
		return "3.x"
	default:
		return "4.x"
	}
}

// vendorYarn makes `yarn` run the Yarn in the app.
func (b *build) vendorYarn(ctx context.Context, m manager) (*semver.Version, error) {
	b.out.Detail("Using the Yarn of the app: %s", m.vendored)
	l, err := b.layers.Layer(managerLayer)
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(l.Path, "bin")
	if err := errors.Join(os.RemoveAll(l.Path), os.MkdirAll(bin, 0o755)); err != nil {
		return nil, fmt.Errorf("make the layer of Yarn: %w", err)
	}
	script := "#!/usr/bin/env node\nrequire(" + strconv.Quote(b.appFile(m.vendored)) + ");\n"
	if err := os.WriteFile(filepath.Join(bin, "yarn"), []byte(script), 0o755); err != nil {
		return nil, fmt.Errorf("make the layer of Yarn: %w", err)
	}
	b.onPath(bin)
	b.made = append(b.made, &layer{name: managerLayer, types: libcnb.LayerTypes{Build: true, Launch: true}})
	text, err := b.ask(ctx, "yarn", "--version")
	if err != nil {
		return nil, err
	}
	version, err := semver.NewVersion(text)
	if err != nil {
		return nil, b.out.Fail(badVendored, m.vendored, text)
	}
	return version, nil
}

// ask is the output of a command that is not shown.
func (b *build) ask(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	err := cnb.Command{Dir: b.app, Env: b.env, Out: &limited{&out, maxPackage}, Args: b.found(args)}.Run(ctx)
	if errors.Is(err, cnb.ErrExit) {
		return "", b.out.Fail(commandFailed, strings.Join(args, " "), strings.TrimSpace(out.String()))
	}
	return strings.TrimSpace(out.String()), err
}

// found has the program by its path: it is looked up in the build's PATH, which
// is not this process's.
func (b *build) found(args []string) []string {
	for dir := range strings.SplitSeq(b.env["PATH"], string(os.PathListSeparator)) {
		if file := filepath.Join(dir, args[0]); dir != "" && cnb.IsFile(file) {
			return append([]string{file}, args[1:]...)
		}
	}
	return args
}

// limited passes on the first n bytes.
type limited struct {
	w io.Writer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	if part := p[:min(len(p), l.n)]; len(part) > 0 {
		n, err := l.w.Write(part)
		l.n -= n
		if err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// readSome is the beginning of a file, nothing if it cannot be read.
func readSome(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxPackage))
	if err != nil {
		return nil
	}
	return data
}
