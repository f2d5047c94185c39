package python

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	maxLock = 32 << 20 // of one file
	missing = "none"   // stands for the digest of a file that is not there
	pypi    = "https://pypi.org/simple"
)

// readFiles digests files in the root of an app, and gives their contents.
func readFiles(dir string, names ...string) (asked, [][]byte, error) {
	var a asked
	var contents [][]byte
	for _, name := range names {
		data, err := readLimited(filepath.Join(dir, name), maxLock)
		sum := missing
		switch {
		case err == nil:
			digest := sha256.Sum256(data)
			sum = hex.EncodeToString(digest[:])
		case !errors.Is(err, fs.ErrNotExist):
			return asked{}, nil, fmt.Errorf("read %s: %w", name, err)
		}
		a.files = append(a.files, fileSum{name, sum})
		contents = append(contents, data)
	}
	return a, contents, nil
}

// The readers below do not mind what they cannot parse: the package manager is
// about to say what is wrong with it.

// readPipenv reads what Pipenv will install.
func readPipenv(dir string) (asked, error) {
	a, contents, err := readFiles(dir, "Pipfile.lock", "Pipfile")
	if err != nil {
		return a, err
	}
	var lock struct {
		Default map[string]struct {
			Path string `json:"path"`
			File string `json:"file"`
		} `json:"default"`
	}
	_ = json.Unmarshal(contents[0], &lock)
	for _, p := range lock.Default {
		if p.Path != "" || p.File != "" && (!scheme.MatchString(p.File) || strings.HasPrefix(p.File, "file:")) {
			a.local = true
		}
	}
	return a, nil
}

// readPoetry reads what Poetry will install: the app too, unless it says that it
// is no package.
func readPoetry(dir string) (asked, error) {
	a, contents, err := readFiles(dir, "poetry.lock", "pyproject.toml", "poetry.toml")
	if err != nil {
		return a, err
	}
	var project struct {
		Tool struct {
			Poetry struct {
				PackageMode *bool `toml:"package-mode"`
			} `toml:"poetry"`
		} `toml:"tool"`
	}
	_ = toml.Unmarshal(contents[1], &project)
	mode := project.Tool.Poetry.PackageMode
	a.local = mode == nil || *mode
	var lock poetryLock
	_ = toml.Unmarshal(contents[0], &lock)
	for _, p := range lock.Packages {
		a.local = a.local || p.Source.Type == "directory" || p.Source.Type == "file"
	}
	return a, nil
}

// A poetryLock is what we read of a poetry.lock.
type poetryLock struct {
	Packages []poetryPackage `toml:"package"`
	Metadata struct {
		Files map[string][]poetryFile `toml:"files"` // of format 1
	} `toml:"metadata"`
}

type poetryPackage struct {
	Name    string       `toml:"name"`
	Version string       `toml:"version"`
	Files   []poetryFile `toml:"files"`
	Source  struct {
		Type string `toml:"type"`
	} `toml:"source"` // empty for PyPI
}

type poetryFile struct {
	Hash string `toml:"hash"`
}

// readUv reads what uv will install.
func readUv(dir string) (asked, error) {
	a, contents, err := readFiles(dir, "uv.lock", "pyproject.toml", "uv.toml")
	if err != nil {
		return a, err
	}
	var lock uvLock
	_ = toml.Unmarshal(contents[0], &lock)
	for _, p := range lock.Packages {
		s := p.Source
		// A virtual project is not installed, but what it depends on is.
		a.local = a.local || s.Editable != "" || s.Directory != "" || s.Path != "" || s.Virtual != "" && s.Virtual != "."
	}
	return a, nil
}

// A uvLock is what we read of a uv.lock.
type uvLock struct {
	Packages []struct {
		Name   string `toml:"name"`
		Source struct {
			Registry  string `toml:"registry"`
			Editable  string `toml:"editable"`
			Virtual   string `toml:"virtual"`
			Directory string `toml:"directory"`
			Path      string `toml:"path"`
		} `toml:"source"`
	} `toml:"package"`
}

// from tells of each package whether it comes from the registry at url, and
// nowhere else; names are normal already.
func (l uvLock) from(url string) map[string]bool {
	out := make(map[string]bool)
	for _, p := range l.Packages {
		is := strings.TrimSuffix(p.Source.Registry, "/") == url
		if was, ok := out[p.Name]; ok {
			is = is && was
		}
		out[p.Name] = is
	}
	return out
}
