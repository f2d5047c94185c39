package golang_test

import (
	"archive/zip"
	"crypto/rand"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"

	"slipway/buildpacks/bundled/cnbtest"
)

// fakeGo stands where the go command of a toolchain is: it lists what the file
// programs of the app says, and makes programs of their names.
const fakeGo = `#!/bin/sh
case $1 in
list)
	while read -r path dir || [ -n "$path" ]; do
		mkdir -p "$dir"
		printf '%s\t%s\n' "$path" "$PWD/$dir"
	done <programs ;;
build)
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		-o) out=$2; shift ;;
		-ldflags) shift ;;
		-*) ;;
		*) echo '#!/bin/sh' >"$out${1##*/}" ;;
		esac
		shift
	done ;;
esac
`

// A fakeProxy is a module proxy with toolchains of its own, and the checksum
// database that knows them.
type fakeProxy struct {
	*httptest.Server
	sumdb string // for GOSUMDB
}

// newFakeProxy has the versions, of which it does not list those that begin with
// "-". Whatever is asked for in answers gets that status instead.
func newFakeProxy(t *testing.T, answers map[string]int, versions ...string) *fakeProxy {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "sums.example.com")
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeProxy{}
	dir, list := t.TempDir(), ""
	for _, v := range versions {
		name, hidden := strings.CutPrefix(v, "-")
		name = "v0.0.1-go" + name + ".linux-amd64"
		if !hidden {
			list += name + "\n"
		}
		writeToolchain(t, filepath.Join(dir, name+".zip"), name, fakeGo)
		if err := os.WriteFile(filepath.Join(dir, name+".info"), []byte(`{"Version": "`+name+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	sums := sumdb.NewTestServer(skey, func(path, version string) ([]byte, error) {
		h, err := dirhash.HashZip(filepath.Join(dir, version+".zip"), dirhash.Hash1)
		return []byte(path + " " + version + " " + h + "\n" + path + " " + version + "/go.mod h1:x\n"), err
	})
	db := http.StripPrefix("/sumdb/sums.example.com", sumdb.NewServer(sums))
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isModule := strings.CutPrefix(r.URL.Path, "/golang.org/toolchain/@v/")
		switch {
		case answers[name] != 0:
			w.WriteHeader(answers[name])
		case strings.HasSuffix(r.URL.Path, "/supported"):
			w.WriteHeader(max(200, answers["supported"]))
		case isModule:
			http.ServeFile(w, r, filepath.Join(dir, name))
		default:
			db.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.Close)
	p.sumdb = vkey
	return p
}

func writeToolchain(t *testing.T, file, version, program string, more ...string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	prefix := "golang.org/toolchain@" + version + "/"
	files := map[string]string{prefix + "bin/go": program, prefix + "src/fmt/print_test.go": "a test", prefix + "test/x.go": "a test"}
	for _, name := range more {
		files[name] = "more"
	}
	for name, content := range files {
		out, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// newApp is an app of one program, with a go.mod of these lines.
func newApp(t *testing.T, p *fakeProxy, lines string) *platform {
	t.Helper()
	app := newPlatform(t, map[string]string{"go.mod": "module example.com/app\n\n" + lines + "\n", "programs": "example.com/app .\n"})
	app.Env["GOPROXY"], app.Env["GOSUMDB"] = p.URL, p.sumdb
	return app
}

func TestChoosesTheGo(t *testing.T) {
	t.Parallel()
	p := newFakeProxy(t, nil, "1.9", "1.20", "1.20.14", "1.25.0", "1.25.14", "1.26.8", "1.26.11", "1.27.2", "1.28rc1", "-1.26.9")
	for name, c := range map[string]struct {
		lines string
		code  int
		want  string
	}{
		"the newest of a series":       {"go 1.26", 0, "-----> Installing Go 1.26.11\n"},
		"exactly one":                  {"go 1.26.8", 0, "-----> Installing Go 1.26.8\n"},
		"one that the list leaves out": {"go 1.26.9", 0, "-----> Installing Go 1.26.9\n"},
		"an old one":                   {"go 1.20", 0, "-----> Installing Go 1.20.14\n"},
		"by the comment":               {"// +heroku goVersion go1.25\ngo 1.26", 0, "-----> Installing Go 1.25.14\n"},
		"none said":                    {"", 0, "-----> No Go version was specified. Using the newest\n-----> Installing Go 1.27.2\n"},
		"a later toolchain":            {"go 1.25.0\ntoolchain go1.26.8", 0, "'toolchain go1.26.8' asks for a later one\n-----> Installing Go 1.26.8\n"},
		"an earlier toolchain":         {"go 1.26\ntoolchain go1.26.8", 0, "-----> Installing Go 1.26.11\n"},
		"no such patch":                {"go 1.26.99", 1, " !     and of Go 1.26:\n !     1.26.11, 1.26.8\n"},
		"no such series":               {"go 1.23", 1, " !     1.27.2, 1.26.11, 1.25.14, 1.20.14\n"},
		"before modules":               {"go 1.9", 1, " !     Error: The requested Go version is too old.\n"},
		"no version at all":            {"go nine", 1, " !     Error: Invalid Go version in go.mod.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := newApp(t, p, c.lines).Run("build")
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("bin/build = %d, want %d and %q:\n%s", code, c.code, c.want, out)
			}
		})
	}
}

func TestUnpacksWhatBuildsNeed(t *testing.T) {
	t.Parallel()
	p := newApp(t, newFakeProxy(t, nil, "1.26.8"), "go 1.26")
	p.Build()
	for name, want := range map[string]bool{"bin/go": true, "src/fmt/print_test.go": false, "test": false} {
		info, err := os.Stat(filepath.Join(p.Layers, "go", name))
		if (err == nil) != want {
			t.Errorf("%s is there = %v, want %v", name, err == nil, want)
		}
		if err == nil && info.Mode()&0o111 == 0 {
			t.Errorf("mode of %s = %v, want it executable", name, info.Mode())
		}
	}
	p.NextBuild()
	p.Env["GOPROXY"] = "off"
	cnbtest.WantIn(t, p.Build(), "-----> Using cached install of Go 1.26.8")
}

func TestProxiesAreTriedInOrder(t *testing.T) {
	t.Parallel()
	const zipped = "v0.0.1-go1.26.8.linux-amd64.zip"
	good := newFakeProxy(t, nil, "1.26.8")
	empty := newFakeProxy(t, map[string]int{"list": 404, "supported": 404})
	ill := newFakeProxy(t, map[string]int{"list": 500, "supported": 404, zipped: 500}, "1.26.8")
	silent := newFakeProxy(t, map[string]int{"list": 403}, "1.26.8")
	secret := strings.Replace(ill.URL, "http://", "http://me:hunter2@", 1)
	for name, c := range map[string]struct {
		proxy, sumdb string
		code         int
		want         string
	}{
		"the second has it":          {empty.URL + "," + good.URL, good.sumdb, 0, "Installing Go 1.26.8"},
		"after an error, by a comma": {ill.URL + "," + good.URL, good.sumdb, 1, "500 Internal Server Error"},
		"after an error, by a bar":   {ill.URL + "|" + good.URL, good.sumdb, 0, "Installing Go 1.26.8"},
		"then none":                  {empty.URL + ",off", good.sumdb, 1, "GOPROXY=off forbids it"},
		"it tells no list":           {silent.URL, silent.sumdb, 0, "Installing Go 1.26.8"},
		"a password":                 {secret, good.sumdb, 1, "http://me:xxxxx@"},
		"no address":                 {"nonsense", good.sumdb, 1, "read GOPROXY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, good, "go 1.26")
			app.Env["GOPROXY"], app.Env["GOSUMDB"] = c.proxy, c.sumdb
			out, code := app.Run("build")
			if code != c.code || !strings.Contains(out, c.want) || strings.Contains(out, "hunter2") {
				t.Errorf("bin/build = %d, want %d and %q:\n%s", code, c.code, c.want, out)
			}
		})
	}
}

func TestToolchainsAreChecked(t *testing.T) {
	t.Parallel()
	honest, other := newFakeProxy(t, nil, "1.26.8"), newFakeProxy(t, nil, "1.26.8")
	changed := t.TempDir()
	const name = "v0.0.1-go1.26.8.linux-amd64"
	writeToolchain(t, filepath.Join(changed, name+".zip"), name, fakeGo+"# and more\n")
	// It passes the honest checksum database on, as a proxy that was broken into.
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if file := filepath.Base(r.URL.Path); file == name+".zip" {
			http.ServeFile(w, r, filepath.Join(changed, file))
			return
		}
		honest.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(evil.Close)
	for name, c := range map[string]struct {
		proxy string
		env   map[string]string
		code  int
		want  string
	}{
		"as it is":            {honest.URL, nil, 0, "Installing Go 1.26.8\n-----> Running"},
		"changed":             {evil.URL, nil, 1, "it is not what the checksum database says"},
		"of another database": {honest.URL, map[string]string{"GOSUMDB": other.sumdb}, 1, "ask the checksum database sums.example.com"},
		"an unknown database": {honest.URL, map[string]string{"GOSUMDB": "nobody.example.com"}, 1, "the key of the checksum database \"nobody.example.com\" is missing"},
		"not to be checked":   {evil.URL, map[string]string{"GONOSUMDB": "golang.org/*"}, 0, "Warning: Go 1.26.8 was not checked."},
		"no database":         {evil.URL, map[string]string{"GOSUMDB": "off"}, 0, "because GOSUMDB is off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, honest, "go 1.26")
			app.Env["GOPROXY"] = c.proxy
			maps.Copy(app.Env, c.env)
			out, code := app.Run("build")
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("bin/build = %d, want %d and %q:\n%s", code, c.code, c.want, out)
			}
			if _, err := os.Stat(filepath.Join(app.Layers, "go", "bin", "go")); (err == nil) != (c.code == 0) {
				t.Errorf("there is a toolchain = %v, want %v", err == nil, c.code == 0)
			}
		})
	}
}

func TestToolchainsStayInTheirLayer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const name = "v0.0.1-go1.26.8.linux-amd64"
	writeToolchain(t, filepath.Join(dir, name+".zip"), name, fakeGo, "golang.org/toolchain@"+name+"/../../escaped")
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(name+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.StripPrefix("/golang.org/toolchain/@v/", http.FileServer(http.Dir(dir))))
	t.Cleanup(srv.Close)
	app := newApp(t, newFakeProxy(t, nil), "go 1.26.8")
	app.Env["GOPROXY"], app.Env["GOSUMDB"] = srv.URL, "off"
	out, code := app.Run("build")
	if code != 1 || !strings.Contains(out, "escaped\" lies outside of it") {
		t.Errorf("bin/build = %d, want 1 and the name:\n%s", code, out)
	}
}
