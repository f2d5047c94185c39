package python_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// managersDir has the wheels of real package managers, out of Debian 13, made
// once for all tests of this package.
var managersDir struct {
	once sync.Once
	dir  string
	err  error
}

// debianManagers are the managers, and what they depend on by pip's rules but
// not by Debian's.
var debianManagers = []string{"pipenv", "python3-poetry", "python3-httpx", "python3-zstandard"}

// managerIndex serves an index that has Poetry, Pipenv and the packages of
// [index]. It gives its address, and the versions of the managers.
func managerIndex(t *testing.T, root string) (url string, versions map[string]string) {
	t.Helper()
	managersDir.once.Do(func() { managersDir.dir, managersDir.err = makeManagers(filepath.Join(beside(t), "pypi"), root) })
	if managersDir.err != nil {
		t.Fatalf("get package managers from Debian: %v", managersDir.err)
	}
	wheels := filepath.Join(managersDir.dir, "wheels")
	versions = map[string]string{}
	for _, name := range []string{"pipenv", "poetry"} {
		found, err := filepath.Glob(filepath.Join(wheels, name+"-[0-9]*.whl"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%d wheels of %s, want one", len(found), name)
		}
		versions[name] = strings.Split(filepath.Base(found[0]), "-")[1]
	}
	debian, err := filepath.Glob(wheels + "/*.whl")
	if err != nil {
		t.Fatal(err)
	}
	return wheelIndex(t, root, debian...), versions
}

// wheelIndex serves the packages of [index], and more.
func wheelIndex(t *testing.T, root string, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	all := filepath.Join(dir, "all")
	if err := os.Mkdir(all, 0o755); err != nil {
		t.Fatal(err)
	}
	apps, err := filepath.Glob(strings.TrimPrefix(index(t), "file://") + "/*/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(apps, more...) {
		if err := os.Link(file, filepath.Join(all, filepath.Base(file))); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	if err := script(filepath.Join(beside(t), "pypi", "mkindex.py"), root, all, filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "index"))))
	t.Cleanup(server.Close)
	return server.URL + "/simple"
}

// script runs a script of those beside the repository that make an index.
func script(path, root string, args ...string) error {
	cmd := exec.CommandContext(lifetime, filepath.Join(root, cpythonVersion, "bin", "python3"), append([]string{path}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(path), err, out)
	}
	return nil
}

// makeManagers downloads Debian packages without touching the machine's apt,
// and makes wheels of them with the scripts.
func makeManagers(scripts, root string) (string, error) {
	work, err := os.MkdirTemp("", "slipway-managers-")
	if err != nil {
		return "", err
	}
	debs := filepath.Join(work, "trixie") // a name that deb2whl.py reports
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "trixie"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return work, err
		}
	}
	list := "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " + debianMirror() + " trixie main\n"
	for name, content := range map[string]string{"sources.list": list, "status": ""} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(content), 0o644); err != nil {
			return work, err
		}
	}
	apt := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(lifetime, "apt-get", append([]string{
			"-q", "-o", "Dir::Etc::SourceList=" + filepath.Join(work, "sources.list"), "-o", "Dir::Etc::SourceParts=/dev/null",
			"-o", "Dir::State::Lists=" + filepath.Join(work, "lists"), "-o", "Dir::State::Status=" + filepath.Join(work, "status"),
			"-o", "Dir::Cache=" + filepath.Join(work, "cache"), "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
			"-o", "Acquire::Languages=none", "-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
			"-o", "APT::Architecture=amd64", "-o", "APT::Architectures=amd64", "-o", "APT::Install-Recommends=false",
		}, args...)...)
		cmd.Dir = debs
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("apt-get: %w: %s", err, stderr.Bytes())
		}
		return out, err
	}
	if _, err := apt("update"); err != nil {
		return work, err
	}
	plan, err := apt(append([]string{"--simulate", "install"}, debianManagers...)...)
	if err != nil {
		return work, err
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^Inst (pipenv|python3-\S+) `).FindAllSubmatch(plan, -1) {
		names = append(names, string(m[1]))
	}
	if _, err := apt(append([]string{"download"}, names...)...); err != nil {
		return work, err
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return work, err
	}
	wheels := filepath.Join(work, "wheels")
	if err := script(filepath.Join(scripts, "deb2whl.py"), root, append([]string{wheels}, files...)...); err != nil {
		return work, err
	}
	return work, complete(root, wheels)
}

// complete undoes in wheels what Debian changed for itself: it took a requirement
// out of cleo's metadata, and keeps virtualenv's pip in another place.
func complete(root, wheels string) error {
	const program = `
import glob, os, sys, zipfile

def edit(name, member, old, new, more={}):
    (path,) = glob.glob(sys.argv[1] + "/" + name + "-*.whl")
    with zipfile.ZipFile(path) as was, zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as now:
        for info in was.infolist():
            data = was.read(info)
            if info.filename.endswith(member):
                assert old in data, name + " has changed"
                data = data.replace(old, new, 1)
            now.writestr(info, data)
        for member, file in more.items():
            now.write(file, member)
    os.rename(path + ".new", path)

edit("cleo", ".dist-info/METADATA", b"\nRequires-Python:", b"\nRequires-Dist: rapidfuzz\nRequires-Python:")
embed = "virtualenv/seed/wheels/embed/"
edit("virtualenv", embed + "__init__.py", b"Path('/usr/share/python-wheels')", b"Path(__file__).parent / 'wheels'",
     {embed + "wheels/" + os.path.basename(file): file for file in glob.glob(sys.argv[1] + "/pip-*.whl")})
`
	cmd := exec.CommandContext(lifetime, filepath.Join(root, cpythonVersion, "bin", "python3"), "-c", program, wheels)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("complete wheels: %w: %s", err, out)
	}
	return nil
}

// debianMirror is where the machine has Debian's packages from.
func debianMirror() string {
	out, err := exec.CommandContext(lifetime, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages").Output()
	if err == nil {
		for uri := range strings.FieldsSeq(string(out)) {
			if uri = strings.TrimSuffix(uri, "/"); strings.HasSuffix(uri, "/debian") {
				return uri
			}
		}
	}
	return "http://deb.debian.org/debian"
}
