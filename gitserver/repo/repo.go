package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A Repo is an open bare repository.
type Repo struct {
	Objects
	dir string
	o   Options
}

// DefaultHead is what HEAD of a new repository points to.
const DefaultHead = "refs/heads/main"

// Create makes an empty bare repository at dir, as `git init --bare` would,
// with HEAD at refs/heads/main. It appears at once or not at all; parents are
// not made. The error is ErrExists if dir exists.
func Create(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("create %s: %w", dir, ErrExists)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".tmp-"+filepath.Base(dir)+"-")
	if err != nil {
		return fmt.Errorf("create repository: %w", err)
	}
	err = initAt(tmp)
	if err == nil {
		// Unlike os.Rename on files, this never replaces a directory with content.
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		os.RemoveAll(tmp) //nolint:errcheck // the first error counts
		if errors.Is(err, fs.ErrExist) || isNotEmpty(err) {
			err = ErrExists
		}
		return fmt.Errorf("create %s: %w", dir, err)
	}
	return syncDir(filepath.Dir(dir))
}

func initAt(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil { // as git does
		return err
	}
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		"HEAD":        "ref: " + DefaultHead + "\n",
		"config":      "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
		"description": "Unnamed repository; edit this file 'description' to name the repository.\n",
	}
	for name, text := range files {
		if err := writeSynced(filepath.Join(dir, name), []byte(text)); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// Open opens the bare repository at dir. It is cheap; whoever opens closes.
// Packs that others write later are noticed when an object is missing.
func Open(dir string, o Options) (*Repo, error) {
	dir = filepath.Clean(dir)
	for _, d := range []string{"objects", "refs"} {
		if st, err := os.Stat(filepath.Join(dir, d)); err != nil || !st.IsDir() {
			return nil, fmt.Errorf("open %s: %w", dir, ErrNotRepository)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, ErrNotRepository)
	}
	if _, err := os.Stat(filepath.Join(dir, "objects/info/alternates")); err == nil {
		return nil, fmt.Errorf("open %s: %w: objects/info/alternates is not supported; run `git repack -a` and remove it", dir, ErrFormat)
	}
	if st, err := os.Stat(filepath.Join(dir, "shallow")); err == nil && st.Size() > 0 {
		return nil, fmt.Errorf("open %s: %w: the repository itself is shallow; run `git fetch --unshallow` in it", dir, ErrFormat)
	}
	if err := checkFormat(filepath.Join(dir, "config")); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	o.setDefaults()
	const cacheSize = 32 << 20
	db := &odb{dir: filepath.Join(dir, "objects"), limit: o.MaxObjectSize, cache: newCache(cacheSize, o.Budget.Claim(nil))}
	return &Repo{Objects: Objects{db: db}, dir: dir, o: o}, nil
}

// checkFormat refuses repositories that need what this package cannot do.
func checkFormat(path string) error {
	data, err := os.ReadFile(path)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	version := "0"
	unsupported := ""
	err = parseConfig(data, func(v configVar) error {
		switch {
		case v.section == "core" && !v.hasSub && v.key == "repositoryformatversion":
			version = v.value
		case v.section == "extensions" && !v.hasSub && !knownExtension(v):
			unsupported = v.key + " = " + v.value
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("read config: %w", err)
	case version != "0" && version != "1":
		return fmt.Errorf("%w: repository format version %q", ErrFormat, version)
	case version == "1" && unsupported != "":
		return fmt.Errorf("%w: repository extension %q", ErrFormat, unsupported)
	}
	return nil
}

func knownExtension(v configVar) bool {
	switch v.key {
	case "objectformat":
		return strings.EqualFold(v.value, "sha1")
	case "refstorage":
		return v.value == "files"
	}
	return v.key == "noop"
}

// WithDefaults returns the options with defaults in the place of zeros.
func (o Options) WithDefaults() Options {
	o.setDefaults()
	return o
}

func (o *Options) setDefaults() {
	setDefault(&o.MaxPackBytes, 2<<30)
	setDefault(&o.MaxObjects, 10_000_000)
	setDefault(&o.MaxObjectSize, 512<<20)
	setDefault(&o.MaxHeldSize, 128<<20)
	setDefault(&o.MaxInflated, 64<<30)
	setDefault(&o.MaxDeltaDepth, 4095)
	setDefault(&o.MaxInflateRatio, 10_000)
	setDefault(&o.LockTimeout, 5*time.Second)
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
}

func setDefault[T int | int64 | time.Duration](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// over says whether v exceeds a limit, of which negative ones are none.
func over(v, limit int64) bool { return limit >= 0 && v > limit }

// Close releases files and mappings. Nothing that the repository handed out
// may be used afterwards.
func (r *Repo) Close() error { return r.db.close() }

// Dir is the repository's directory.
func (r *Repo) Dir() string { return r.dir }

func (r *Repo) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }
