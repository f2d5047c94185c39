package bundled

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

const caddyLayerFile = "caddy.tar.gz"

// caddySources are what the file server of static sites is compiled from. It has a
// module of its own: its dependencies are nobody else's.
var caddySources = []string{"go.mod", "go.sum", "main.go", "site.go"}

// caddyRequirement is the line of its go.mod that says which Caddy it is.
var caddyRequirement = regexp.MustCompile(`(?m)^require github\.com/caddyserver/caddy/v2 v(\S+)$`)

// readCaddy reads the sources of the file server.
func (b *build) readCaddy() (sources []string, err error) {
	for _, name := range caddySources {
		data, err := os.ReadFile(filepath.Join(b.Root, "buildpacks/bundled/caddy", name))
		if err != nil {
			return nil, fmt.Errorf("read the file server: %w", err)
		}
		sources = append(sources, string(data))
	}
	return sources, nil
}

// caddy compiles the file server and makes the layer of it in dir, with a file
// that says what it is.
func (b *build) caddy(ctx context.Context, dir string) (_ layer, err error) {
	sources, err := b.readCaddy()
	if err != nil {
		return layer{}, err
	}
	version := caddyRequirement.FindStringSubmatch(sources[0])
	if version == nil {
		return layer{}, errors.New("read the version of Caddy: its go.mod does not say it")
	}
	b.say("Compiling Caddy %s", version[1])
	work, err := os.MkdirTemp(dir, "root-")
	if err != nil {
		return layer{}, fmt.Errorf("make work directory: %w", err)
	}
	defer removeAll(work, &err)
	home := filepath.Join(work, caddyRoot)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return layer{}, fmt.Errorf("make work directory: %w", err)
	}
	t := tool{dir: filepath.Join(b.Root, "buildpacks/bundled/caddy"), env: goEnv()}
	// The tags leave out databases that only a certificate authority would use.
	err = t.run(ctx, "go", "build", "-mod=readonly", "-tags", "nobadger,nomysql,nopgx", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid=", "-o", filepath.Join(home, "caddy"), ".")
	if err != nil {
		return layer{}, fmt.Errorf("compile Caddy: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(home, "caddy"))
	if err != nil {
		return layer{}, fmt.Errorf("hash Caddy: %w", err)
	}
	sum := sha256.Sum256(data)
	about := map[string]string{"version": version[1], "id": hex.EncodeToString(sum[:])}
	if err := writeJSON(filepath.Join(home, "caddy.json"), about); err != nil {
		return layer{}, err
	}
	pack := packer{root: work, owner: func(fs.FileInfo) (int, int) { return 0, 0 }}
	return pack.pack(ctx, filepath.Join(dir, caddyLayerFile))
}
