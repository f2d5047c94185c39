package nodejs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

const (
	packageJSON = "package.json"
	maxPackage  = 1 << 20 // as package buildpacks reads
)

// Names of scripts, as on Heroku.
const (
	prebuildScript  = "heroku-prebuild"
	postbuildScript = "heroku-postbuild"
	cleanupScript   = "heroku-cleanup"
)

// A packageFile is what matters here of package.json. A field of the wrong type
// counts as absent, as it does in detection.
type packageFile struct {
	PackageManager  field[string] `json:"packageManager"`
	Engines         table         `json:"engines"`
	Scripts         table         `json:"scripts"`
	Dependencies    table         `json:"dependencies"`
	DevDependencies table         `json:"devDependencies"`
}

// A table is an object of texts.
type table map[string]field[string]

func (t *table) UnmarshalJSON(data []byte) error {
	var m map[string]field[string]
	if json.Unmarshal(data, &m) == nil {
		*t = m
	}
	return nil
}

// A field holds a value if it is of the right type.
type field[T any] struct{ value T }

func (f *field[T]) UnmarshalJSON(data []byte) error {
	var v T
	if json.Unmarshal(data, &v) == nil {
		f.value = v
	}
	return nil
}

// readPackage reads the package.json of an app.
func readPackage(fsys fs.FS) (*packageFile, error) {
	f, err := fsys.Open(packageJSON)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPackage+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPackage {
		return nil, fmt.Errorf("read %s: it is larger than %d MiB", packageJSON, maxPackage>>20)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, fmt.Errorf("read %s: %w", packageJSON, err)
	}
	pkg := new(packageFile)
	if json.Unmarshal(data, pkg) != nil {
		return &packageFile{}, nil // JSON that is no object says nothing
	}
	return pkg, nil
}

func (p *packageFile) script(name string) string { return p.Scripts[name].value }

// buildScript is the script that builds the app: Heroku's own name for it wins.
func (p *packageFile) buildScript() string {
	for _, name := range []string{postbuildScript, "build"} {
		if p.script(name) != "" {
			return name
		}
	}
	return ""
}

// asked is what package.json says of versions: engines.NAME.
func (p *packageFile) asked(name string) string { return p.Engines[name].value }
