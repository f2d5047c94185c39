package nodejs

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// nodejsOrg is Node.js's own site. It has versions that the registry lacks, above
// all for arm64. NODEJS_ORG_MIRROR names another in its place, as for node-gyp.
const nodejsOrg = "https://nodejs.org/dist/"

// nodeElsewhere looks for a Node.js at its own site.
func (b *build) nodeElsewhere(ctx context.Context, asked string, have list) (release, error) {
	address := setting(b.env, "NODEJS_ORG_MIRROR")
	if address == "" {
		address = nodejsOrg
	}
	site, err := siteAt(address)
	if err != nil {
		return release{}, b.out.Fail("Error: NODEJS_ORG_MIRROR isn't an address.\n\nSet it to one such as %s.", nodejsOrg)
	}
	b.out.Detail("The npm registry has none for %s, asking %s...", platformName(), site.base.Host)
	rel, err := site.node(ctx, asked)
	var none *statusError
	switch {
	case ctx.Err() != nil:
		return release{}, ctx.Err()
	case err != nil && !errors.Is(err, errNone) && !errors.As(err, &none):
		b.out.Detail("%v", err) // the registry's list still helps
	}
	if err != nil {
		return release{}, b.out.Fail(noNode, asked, platformName(), strings.Join(have.majors(), ", "), strings.TrimSuffix(defaultNode, ".x"), site.base.Host)
	}
	return rel, nil
}

// errNone says that there is no version in a range.
var errNone = errors.New("there is none in that range")

// node is the newest Node.js of a site in a range.
func (r *registry) node(ctx context.Context, asked string) (release, error) {
	resp, err := r.get(ctx, r.base.JoinPath("index.json"), http.Header{})
	if err != nil {
		return release{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	var index []struct {
		Version string
		Files   []string
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxList)).Decode(&index); err != nil {
		return release{}, &unreachableError{r.base.Host, fmt.Errorf("read its list of versions: %w", err)}
	}
	var have list
	for _, one := range index {
		if slices.Contains(one.Files, platformName()) {
			have.Releases = append(have.Releases, release{Version: strings.TrimPrefix(one.Version, "v")})
		}
	}
	rel, ok := have.newest(asked, nil)
	if !ok {
		return release{}, errNone
	}
	name := "node-v" + rel.Version + "-" + platformName() + ".tar.gz"
	dir := r.base.JoinPath("v" + rel.Version)
	rel.Package, rel.Tarball = nodejsOrg, dir.JoinPath(name).String()
	sums, err := r.get(ctx, dir.JoinPath("SHASUMS256.txt"), http.Header{})
	if err != nil {
		return release{}, err
	}
	defer func() { _ = sums.Body.Close() }() // it was only read
	lines := bufio.NewScanner(io.LimitReader(sums.Body, maxPackage))
	for lines.Scan() {
		if sum, file, ok := strings.Cut(lines.Text(), "  "); ok && file == name {
			data, err := hex.DecodeString(sum)
			rel.Integrity = "sha256-" + base64.StdEncoding.EncodeToString(data)
			return rel, err
		}
	}
	return release{}, errors.Join(errNone, lines.Err())
}

// addWholeNode unpacks a Node.js that brings its npm with it.
func (b *build) addWholeNode(ctx context.Context, rel release, dir string) (npm string, err error) {
	rel.Package = "node"
	notThere := func(name string) bool { return notInNode(name) && !strings.HasPrefix(name, "lib/node_modules/npm/") }
	if err := b.fetch(ctx, rel, "", dir, notThere); err != nil {
		return "", err
	}
	home := filepath.Join(dir, "lib/node_modules/npm")
	data, err := os.ReadFile(filepath.Join(home, packageJSON))
	if err != nil {
		return "", fmt.Errorf("read the npm of Node.js %s: %w", rel.Version, err)
	}
	var pkg struct {
		Version string
		Bin     map[string]string
	}
	if err := json.Unmarshal(data, &pkg); err != nil || pkg.Version == "" {
		return "", fmt.Errorf("read the npm of Node.js %s: %w", rel.Version, errors.Join(err, errNone))
	}
	b.out.Detail("Using default npm version: %s", pkg.Version)
	return pkg.Version, linkPrograms(dir, home, release{Package: "npm", Bin: pkg.Bin})
}
