package python

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"slipway/buildpacks/bundled/cnb"
)

const (
	requirementsTxt     = "requirements.txt"
	maxRequirements     = 4 << 20 // of one file
	maxRequirementFiles = 200
)

// An asked is what an app asks its package manager for.
type asked struct {
	files []fileSum // all that decides what is installed
	empty bool      // nothing is asked for
	// local tells that a part of the app itself is installed, which changes
	// with any file of it.
	local bool
}

// A fileSum is the digest of a file of the app, and of what it includes.
type fileSum struct{ name, sum string }

// A requirementsReader follows includes, each once.
type requirementsReader struct {
	dir  string
	sum  hash.Hash
	seen map[string]bool
	got  asked
}

func readRequirements(dir string) (asked, error) {
	r := &requirementsReader{dir: dir, sum: sha256.New(), seen: make(map[string]bool)}
	r.got.empty = true
	if err := r.file(filepath.Join(dir, requirementsTxt), false); err != nil {
		return asked{}, err
	}
	r.got.files = []fileSum{{requirementsTxt, hex.EncodeToString(r.sum.Sum(nil))}}
	return r.got, nil
}

var (
	include = regexp.MustCompile(`^(?:-([rc])[ \t=]*|--(r)equirement(?:[ \t]*=[ \t]*|[ \t]+)|--(c)onstraint(?:[ \t]*=[ \t]*|[ \t]+))(.+)$`)
	edit    = regexp.MustCompile(`^(?:-e|--editable)(?:[ \t]*=[ \t]*|[ \t]+)(.+)$`)
	comment = regexp.MustCompile(`(?:^|[ \t]+)#.*$`)
	scheme  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)
)

func (r *requirementsReader) file(path string, constraints bool) error {
	path = filepath.Clean(path)
	if r.seen[path] {
		return nil
	}
	r.seen[path] = true
	if len(r.seen) > maxRequirementFiles {
		return fmt.Errorf("read requirements: more than %d files are included", maxRequirementFiles)
	}
	data, err := readLimited(path, maxRequirements)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // pip says so
	}
	if err != nil {
		return fmt.Errorf("read requirements: %w", err)
	}
	name, err := filepath.Rel(r.dir, path)
	if err != nil {
		name = path
	}
	fmt.Fprintf(r.sum, "%q %d\n", name, len(data)) //nolint:errcheck // a hash never fails
	r.sum.Write(data)
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(comment.ReplaceAllString(strings.TrimSpace(line), ""))
		if m := include.FindStringSubmatch(line); m != nil {
			err = r.include(m[4], path, constraints || m[1] == "c" || m[3] != "")
		} else if line != "" && !constraints {
			r.line(line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *requirementsReader) include(target, from string, constraints bool) error {
	target = strings.Trim(strings.TrimSpace(target), `"'`)
	if scheme.MatchString(target) {
		r.got.empty = r.got.empty && constraints
		return nil
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(from), target)
	}
	return r.file(target, constraints)
}

func (r *requirementsReader) line(line string) {
	if m := edit.FindStringSubmatch(line); m != nil {
		line = m[1]
	} else if strings.HasPrefix(line, "-") {
		return // an option of pip's
	}
	r.got.empty = false
	r.got.local = r.got.local || r.isLocal(line)
}

// isLocal tells whether a requirement is a directory or a file.
func (r *requirementsReader) isLocal(requirement string) bool {
	target := strings.TrimSpace(requirement)
	if _, url, ok := strings.Cut(target, " @ "); ok {
		target = strings.TrimSpace(url)
	}
	if strings.HasPrefix(target, "file:") || strings.HasPrefix(target, ".") || strings.HasPrefix(target, "/") {
		return true
	}
	if scheme.MatchString(target) {
		return false
	}
	path, _, _ := strings.Cut(target, "[")
	return strings.ContainsRune(path, '/') || cnb.IsFile(filepath.Join(r.dir, path)) && strings.Contains(path, ".")
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, limit>>20)
	}
	return data, nil
}
