package nodejs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks/bundled/cnb"
)

const (
	nodeLayer = "node"
	// layout changes when layers of older buildpacks cannot be used any more.
	layout = "1"
)

// binaries installs Node.js, the npm that comes with it, and the package manager
// that the app asks for.
func (b *build) binaries(ctx context.Context) error {
	node, err := b.node(ctx)
	if err != nil {
		return err
	}
	b.compilers(filepath.Join(b.layers.Path, nodeLayer))
	b.registryNames()
	b.onPath(filepath.Join(b.layers.Path, nodeLayer, "bin"))
	return b.installManager(ctx, node)
}

// An installedNode is the Node.js of the build.
type installedNode struct{ version, npm string }

// node makes the layer of Node.js.
func (b *build) node(ctx context.Context) (installedNode, error) {
	asked := b.plan.Version.Requested
	if asked == "" {
		b.out.Detail("engines.node (package.json):  unspecified")
		asked = defaultNode
	} else {
		b.out.Detail("engines.node (package.json):  %s", asked)
	}
	for _, name := range []string{"npm", "yarn", "pnpm"} {
		if b.pkg != nil && (b.pkg.asked(name) != "" || name == "npm") {
			b.out.Detail("%-29s %s", "engines."+name+" (package.json):", orUnspecified(b.pkg.asked(name)))
		}
	}
	name := "node-" + platformName()
	have, err := b.list(ctx, name)
	if err != nil {
		return installedNode{}, err
	}
	b.out.Detail("Resolving node version %s...", asked)
	rel, ok := have.newest(asked, nil)
	if !ok {
		if rel, err = b.nodeElsewhere(ctx, asked, have); err != nil {
			return installedNode{}, err
		}
	}
	node, err := b.nodeLayer(ctx, rel)
	if err == nil && isEndOfLife(major(rel.Version), time.Now()) {
		b.out.Block(nodeEnded, rel.Version, strings.TrimSuffix(defaultNode, ".x"))
	}
	return node, err
}

func orUnspecified(s string) string {
	if s == "" {
		return "unspecified (use default)"
	}
	return s
}

func (b *build) nodeLayer(ctx context.Context, rel release) (installedNode, error) {
	l, err := b.layers.Layer(nodeLayer)
	if err != nil {
		return installedNode{}, err
	}
	want := map[string]any{"layout": layout, "stack": b.stack, "node": rel.Version, "arch": runtime.GOARCH}
	npm, _ := l.Metadata["npm"].(string)
	same := npm != ""
	for key, value := range want {
		same = same && l.Metadata[key] == value
	}
	if same && cnb.IsFile(filepath.Join(l.Path, "bin/node")) && cnb.IsFile(filepath.Join(l.Path, "lib/node_modules/npm/package.json")) {
		b.out.Detail("Using cached node %s and npm %s", rel.Version, npm)
	} else {
		b.out.Detail("Downloading and installing node %s...", rel.Version)
		if npm, err = b.addNode(ctx, rel, l.Path); err != nil {
			return installedNode{}, err
		}
	}
	want["npm"] = npm
	b.made = append(b.made, &layer{
		name: nodeLayer, types: libcnb.LayerTypes{Build: true, Launch: true, Cache: true}, metadata: want, fill: b.environment,
	})
	return installedNode{rel.Version, npm}, nil
}

// addNode unpacks Node.js and the npm that comes with it.
func (b *build) addNode(ctx context.Context, rel release, dir string) (npm string, err error) {
	if rel.Package == nodejsOrg {
		return b.addWholeNode(ctx, rel, dir)
	}
	if err := b.fetch(ctx, rel, "", dir, notInNode); err != nil {
		return "", err
	}
	return b.bundleNPM(ctx, rel.Version, dir)
}

// bundleNPM adds the npm that this Node.js comes with elsewhere: the packages of
// the registry have Node.js alone.
func (b *build) bundleNPM(ctx context.Context, node, dir string) (string, error) {
	have, err := b.list(ctx, "npm")
	if err != nil {
		return "", err
	}
	rel, ok := have.newest(bundledNPM(major(node)), runsOn(node))
	if !ok {
		return "", b.out.Fail(noNPM, node, strings.Join(have.majors(), ", "))
	}
	b.out.Detail("Using default npm version: %s", rel.Version)
	return rel.Version, b.addPackage(ctx, rel, "", dir)
}

// addPackage unpacks a package as `npm install --global` places it.
func (b *build) addPackage(ctx context.Context, rel release, pinned, dir string) error {
	home := filepath.Join(dir, "lib", "node_modules", filepath.FromSlash(rel.Package))
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return fmt.Errorf("make a place for %s: %w", rel.Package, err)
	}
	if err := b.fetch(ctx, rel, pinned, home, nil); err != nil {
		return err
	}
	return linkPrograms(dir, home, rel)
}

// linkPrograms makes bin/NAME for each program of a package.
func linkPrograms(dir, home string, rel release) error {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("make bin: %w", err)
	}
	for name, file := range rel.Bin {
		if !filepath.IsLocal(file) || name != filepath.Base(name) {
			return fmt.Errorf("link %q of %s: it lies outside", name, rel.Package)
		}
		file = filepath.Join(home, file)
		if err := os.Chmod(file, 0o755); err != nil {
			return fmt.Errorf("link %q of %s: %w", name, rel.Package, err)
		}
		target, err := filepath.Rel(bin, file)
		if err != nil {
			return err
		}
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			return fmt.Errorf("link %q of %s: %w", name, rel.Package, err)
		}
	}
	return nil
}

// fetch is the registry's, with its failures explained.
func (b *build) fetch(ctx context.Context, rel release, pinned, dir string, skip func(string) bool) error {
	if err := b.registry.fetch(ctx, rel, pinned, dir, skip); err != nil {
		return b.registryFailure(ctx, rel.Package+" "+rel.Version, err)
	}
	return nil
}

// registryFailure explains what the registry did to a person who can do something
// about it.
func (b *build) registryFailure(ctx context.Context, what string, err error) error {
	var (
		away   *unreachableError
		status *statusError
		digest *digestError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &away):
		return b.out.Fail(unreachable, what, away.host, away.err)
	case errors.As(err, &status):
		return b.out.Fail(refused, what, status.host, status)
	case errors.As(err, &digest):
		return b.out.Fail(badDigest, what, digest.of, digest.want, digest.got)
	default:
		return err
	}
}

// runsOn tells which releases run on a version of Node.js.
func runsOn(node string) func(release) bool {
	node, _, _ = strings.Cut(node, "-")
	return func(r release) bool {
		_, ok := list{Releases: []release{{Version: node}}}.newest(r.Node, nil)
		return ok
	}
}

// notInNode leaves out documents, and headers for other machines: OpenSSL's are
// larger than half of Node.js.
func notInNode(name string) bool {
	const archs = "include/node/openssl/archs/"
	if arch, _, _ := strings.Cut(strings.TrimPrefix(name, archs), "/"); strings.HasPrefix(name, archs) {
		own := map[string]string{"amd64": "linux-x86_64", "arm64": "linux-aarch64"}[runtime.GOARCH]
		return arch != own
	}
	top, _, _ := strings.Cut(name, "/")
	return top != "bin" && top != "include" && top != "LICENSE"
}
