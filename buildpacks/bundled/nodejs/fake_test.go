package nodejs_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A fakeRegistry is a registry whose Node.js and package managers are shell
// scripts that say what they are asked to do.
type fakeRegistry struct {
	URL string

	mu       sync.Mutex
	packages map[string]map[string]fakePackage // by name and version
	seen     []string
	status   map[string]int    // answers by path, instead of what is there
	dist     map[string][]byte // files of nodejs.org, by path
}

type fakePackage struct {
	Version   string            `json:"version"`
	Bin       map[string]string `json:"bin,omitempty"`
	Engines   map[string]string `json:"engines,omitempty"`
	Dist      map[string]string `json:"dist"`
	OptionalD map[string]string `json:"optionalDependencies,omitempty"`
	file      []byte
}

// nodeScript runs a script with sh: the fakes are no JavaScript.
const nodeScript = `#!/bin/sh
[ "$1" = --version ] && { echo v0; exit; }
target=$(sed -n 's/^require("\(.*\)");$/\1/p' "$1")
[ -z "$target" ] || { shift; set -- "$target" "$@"; }
exec sh "$@"
`

// managerScript says what it is asked, and fails if told to by $FAIL: the word
// that fails, and what it then prints.
const managerScript = `#!/bin/sh
case "$*" in
  "config get nodeLinker") echo "${LINKER:-node-modules}"; exit;;
  "list "*) cat projects.json; exit;;
  "--version") echo 4.1.0; exit;;
esac
echo "${0##*/} $*"
case "$*" in *"${FAIL:-nothing fails}"*) echo "$SAY"; exit 3;; esac
case "$*" in *install*|*" ci"*|ci*) mkdir -p node_modules;; esac
[ -z "$YARN" ] || cat yarn.lock
[ -z "$SHOW" ] || env | grep -i "$SHOW"
exit 0
`

var nodePackage = "node-linux-" + map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]

func newFakeRegistry(t *testing.T) *fakeRegistry {
	t.Helper()
	r := &fakeRegistry{packages: map[string]map[string]fakePackage{}, status: map[string]int{}}
	for _, version := range []string{"16.20.2", "18.20.1", "20.1.0", "22.9.0", "22.10.0", "24.1.0", "24.2.0", "25.0.0", "26.0.0-rc.1"} {
		r.add(nodePackage, version, map[string]string{"bin/node": nodeScript, "include/node/node.h": "", "README.md": ""}, fakePackage{})
	}
	manager := func(name, version, node, file string) {
		bin := map[string]string{strings.TrimPrefix(name, "@yarnpkg/cli-dist"): file}
		if name == "@yarnpkg/cli-dist" {
			bin = map[string]string{"yarn": file}
		}
		r.add(name, version, map[string]string{file: managerScript, "package.json": "{}"}, fakePackage{Bin: bin, Engines: map[string]string{"node": node}})
	}
	for _, version := range []string{"6.1.0", "8.1.0", "10.1.0", "10.2.0", "11.0.0", "11.1.0"} {
		manager("npm", version, "*", "bin/npm-cli.js")
	}
	manager("npm", "11.9.0", ">=25", "bin/npm-cli.js")
	for _, version := range []string{"1.22.19", "1.22.22"} {
		manager("yarn", version, ">=4", "bin/yarn.js")
	}
	for _, version := range []string{"2.4.3", "3.8.0", "4.1.0"} {
		manager("@yarnpkg/cli-dist", version, ">=18", "bin/yarn.js")
	}
	for _, version := range []string{"7.33.0", "8.15.9", "9.1.0", "10.1.0"} {
		manager("pnpm", version, "*", "bin/pnpm.cjs")
	}
	r.addDist("23.1.0")
	srv := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(srv.Close)
	r.URL = srv.URL + "/"
	return r
}

func (r *fakeRegistry) add(name, version string, files map[string]string, p fakePackage) {
	p.Version, p.file = version, tarball(files)
	sum := sha512.Sum512(p.file)
	p.Dist = map[string]string{
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		"tarball":   fmt.Sprintf("https://registry.npmjs.org/%s/-/%s.tgz", name, version),
	}
	if r.packages[name] == nil {
		r.packages[name] = map[string]fakePackage{}
	}
	r.packages[name][version] = p
}

// addDist puts the one version of nodejs.org there.
func (r *fakeRegistry) addDist(version string) {
	platform := strings.TrimPrefix(nodePackage, "node-")
	name := "node-v" + version + "-" + platform + ".tar.gz"
	data := tarball(map[string]string{
		"bin/node": nodeScript, "lib/node_modules/npm/bin/npm-cli.js": managerScript, "lib/node_modules/corepack/x": "",
		"lib/node_modules/npm/package.json": `{"version":"10.9.0","bin":{"npm":"bin/npm-cli.js"}}`,
	})
	r.dist = map[string][]byte{
		"/dist/index.json":                      []byte(`[{"version":"v27.0.0","files":["aix-ppc64"]},{"version":"v` + version + `","files":["src","` + platform + `"]}]`),
		"/dist/v" + version + "/SHASUMS256.txt": fmt.Appendf(nil, "%s  other.tar.gz\n%x  %s\n", strings.Repeat("0", 64), sha256.Sum256(data), name),
		"/dist/v" + version + "/" + name:        data,
	}
}

// hash is the digest of a package's file, as packageManager names it.
func (r *fakeRegistry) hash(name, version string) string {
	sum := sha512.Sum512(r.packages[name][version].file)
	return "sha512." + hex.EncodeToString(sum[:])
}

func (r *fakeRegistry) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, req.URL.Path)
	if code := r.status[req.URL.Path]; code != 0 {
		http.Error(w, "no", code)
		return
	}
	if data, ok := r.dist[req.URL.Path]; ok {
		_, _ = w.Write(data)
		return
	}
	name, file, isFile := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/-/")
	versions, ok := r.packages[name]
	if !ok {
		http.NotFound(w, req)
		return
	}
	if isFile {
		_, _ = w.Write(versions[strings.TrimSuffix(file, ".tgz")].file)
		return
	}
	tag := fmt.Sprintf(`"%d %s"`, len(versions), name)
	if req.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("ETag", tag)
	_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "versions": versions})
}

// asked is the paths asked for since the last call.
func (r *fakeRegistry) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// change lets f change the registry while nothing is asked of it.
func (r *fakeRegistry) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// tarball is a package as npm makes them: files below "package/".
func tarball(files map[string]string) []byte {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := int64(0o644)
		if strings.HasPrefix(name, "bin/") {
			mode = 0o755
		}
		_ = tw.WriteHeader(&tar.Header{Name: "package/" + name, Mode: mode, Size: int64(len(files[name]))})
		_, _ = tw.Write([]byte(files[name]))
	}
	_ = tw.Close()
	_ = zw.Close()
	return b.Bytes()
}
