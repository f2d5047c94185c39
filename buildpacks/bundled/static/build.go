package static

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/buildpacks/libcnb"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnb"
)

const defaultBuilderRoot = "/opt/slipway/static"

// A build is one run of bin/build.
type build struct {
	app     string
	builder string // where the builder has the file server
	layers  libcnb.Layers
	out     cnb.Output
	env     cnb.Environment

	settings Settings
	root     string // below app; "." is all of it
}

func newBuild(c libcnb.BuildContext, environ []string, out io.Writer) *build {
	builder := defaultBuilderRoot
	if dir, ok := c.Buildpack.Metadata["root"].(string); ok && dir != "" {
		builder = dir
	}
	return &build{
		app: c.Application.Path, builder: builder, layers: c.Layers, out: cnb.Output{W: out},
		env: cnb.NewEnvironment(environ, c.Platform.Environment),
	}
}

func (b *build) run(ctx context.Context) (libcnb.BuildResult, error) {
	result := libcnb.NewBuildResult()
	if err := b.checkProcfile(ctx); err != nil {
		return result, err
	}
	if err := b.readSettings(); err != nil {
		return result, err
	}
	if err := b.findRoot(); err != nil {
		return result, err
	}
	server, err := b.serverLayer()
	if err != nil {
		return result, err
	}
	compressed, err := b.compressedLayer(ctx)
	if err != nil {
		return result, err
	}
	layer := &configLayer{config: b.settings.config(site{
		root: filepath.Join(b.app, b.root), compressed: compressed.dir, errorPage: b.errorPage(), hide: b.hidden(), hashed: b.hashed(),
	})}
	config, err := b.layers.Layer(layer.Name())
	if err != nil {
		return result, err
	}
	if server.reuse {
		b.out.Step("Using cached install of Caddy %s", server.info.Version)
	} else {
		b.out.Step("Installing Caddy %s", server.info.Version)
	}
	result.Layers = []libcnb.LayerContributor{server, compressed, layer}
	result.Processes = []libcnb.Process{{
		Type: "web", Command: "caddy run --config " + filepath.Join(config.Path, configFile), Default: true,
	}}
	return result, nil
}

// checkProcfile shows what is wrong with the app, or odd.
func (b *build) checkProcfile(ctx context.Context) error {
	plan, err := buildpacks.Detect(ctx, os.DirFS(b.app), buildpacks.Options{})
	var bad *buildpacks.DetectError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	if plan.Language != language {
		return nil // the Node.js buildpack has shown it
	}
	if bad != nil {
		_, _ = io.WriteString(b.out.W, bad.Text()) // nobody is left to tell
		return cnb.ErrShown
	}
	for _, w := range plan.Warnings {
		_, _ = io.WriteString(b.out.W, w.Text()) // nobody is left to tell
	}
	return nil
}

const maxSettings = 1 << 20

// readSettings reads static.json, or else the Staticfile, if there is one.
func (b *build) readSettings() error {
	if _, err := os.Stat(b.appFile("Staticfile.auth")); err == nil {
		return b.badSettings(&settingsError{file: "Staticfile.auth", what: errAuth.Error()})
	}
	for name, parse := range map[string]func([]byte) (Settings, []string, error){staticJSON: parseJSON, staticFile: parseStaticfile} {
		if name == staticFile && cnb.IsFile(b.appFile(staticJSON)) || !cnb.IsFile(b.appFile(name)) {
			continue
		}
		data, err := readFile(b.appFile(name), maxSettings)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		settings, unknown, err := parse(data)
		if err != nil {
			return b.badSettings(err)
		}
		b.out.Step("Reading %s", name)
		if len(unknown) > 0 {
			b.unknownSettings(name, unknown)
		}
		b.settings = settings
	}
	return nil
}

func readFile(name string, limit int64) (_ []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, err
}

// findRoot decides which directory is served.
func (b *build) findRoot() error {
	b.root = b.settings.Root
	if b.root == "" {
		b.root = b.env["NGINX_ROOT"] // as Dokku's buildpack for static sites has it
	}
	if b.root == "" {
		b.root = "."
		for _, dir := range []string{"public_html", "public", "dist"} {
			if cnb.IsFile(b.appFile(filepath.Join(dir, "index.html"))) {
				b.root = dir
				break
			}
		}
	} else if err := b.checkRoot(); err != nil {
		return err
	}
	if b.root == "." {
		b.out.Step("Serving your app's root directory")
	} else {
		b.out.Step("Serving %s", b.root)
	}
	if !cnb.IsFile(b.appFile(filepath.Join(b.root, "index.html"))) {
		b.noIndex()
	}
	return nil
}

// checkRoot refuses a directory that is not there or not the app's.
func (b *build) checkRoot() error {
	b.root = filepath.Clean("./" + b.root)
	if !filepath.IsLocal(b.root) {
		return b.noRoot()
	}
	app, err := filepath.EvalSymlinks(b.app)
	if err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(b.appFile(b.root))
	if errors.Is(err, fs.ErrNotExist) {
		return b.noRoot()
	}
	if err != nil {
		return err
	}
	below, err := filepath.Rel(app, dir)
	if err != nil || !filepath.IsLocal(below) {
		return b.noRoot()
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return b.noRoot()
	}
	return nil
}

// errorPage is the page for what is not found, below the root, "" if none.
func (b *build) errorPage() string {
	page := b.settings.ErrorPage
	if page == "" {
		page = "404.html"
	}
	page = filepath.Clean("./" + page)
	if filepath.IsLocal(page) && cnb.IsFile(b.appFile(filepath.Join(b.root, page))) {
		return filepath.ToSlash(page)
	}
	if b.settings.ErrorPage != "" {
		b.noErrorPage()
	}
	return ""
}

// hidden are files of the root directory that are about the site, not of it.
// Where a directory of its own is served, all of it is the site.
func (b *build) hidden() []string {
	if b.root != "." {
		return nil
	}
	return []string{
		staticJSON, staticFile, "Procfile", "project.toml", "app.json", "package.json", "package-lock.json", "yarn.lock",
		"pnpm-lock.yaml", "node_modules",
	}
}

func (b *build) appFile(name string) string { return filepath.Join(b.app, name) }

const configFile = "caddy.json"

// A configLayer is the configuration of the file server.
type configLayer struct{ config any }

var _ libcnb.LayerContributor = (*configLayer)(nil)

// Name is the name of the layer.
func (*configLayer) Name() string { return "config" }

// Contribute writes the configuration.
func (l *configLayer) Contribute(layer libcnb.Layer) (libcnb.Layer, error) {
	data, err := json.MarshalIndent(l.config, "", "  ")
	if err != nil {
		return layer, fmt.Errorf("encode the configuration of Caddy: %w", err)
	}
	if err := os.MkdirAll(layer.Path, 0o755); err != nil {
		return layer, fmt.Errorf("make the layer of the configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(layer.Path, configFile), data, 0o644); err != nil {
		return layer, fmt.Errorf("write the configuration of Caddy: %w", err)
	}
	layer.LayerTypes = libcnb.LayerTypes{Launch: true}
	layer.Metadata = map[string]any{}
	return layer, nil
}
