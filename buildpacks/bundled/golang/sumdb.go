package golang

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"

	"slipway/buildpacks/bundled/cnb"
)

const (
	toolchainModule = "golang.org/toolchain"
	maxSumsAnswer   = 1 << 20

	sumsName = "sum.golang.org"
	// sumsKey is the key of sum.golang.org, which the go command knows too.
	sumsKey = sumsName + "+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
)

var errSum = errors.New("it is not what the checksum database says")

// unchecked is why the settings of a build keep it from asking the checksum
// database, "" if they do not.
func unchecked(env cnb.Environment) string {
	private := env["GONOSUMDB"]
	if private == "" {
		private = env["GOPRIVATE"]
	}
	switch {
	case env["GOSUMDB"] == "off":
		return "GOSUMDB is off"
	case env["GONOSUMCHECK"] == "1":
		return "GONOSUMCHECK is set"
	case module.MatchPrefixPatterns(private, toolchainModule):
		return "GONOSUMDB or GOPRIVATE names " + toolchainModule
	}
	return ""
}

// checkSum compares a downloaded toolchain with the checksum database.
func checkSum(ctx context.Context, ps *proxies, env cnb.Environment, v version, file string) error {
	have, err := dirhash.HashZip(file, dirhash.Hash1)
	if err != nil {
		return fmt.Errorf("hash Go %s: %w", v.text, err)
	}
	sums, err := newSums(ctx, ps, env["GOSUMDB"])
	if err != nil {
		return err
	}
	lines, err := sumdb.NewClient(sums).Lookup(toolchainModule, v.module())
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "\n") // what follows is for those who keep such a database
		return fmt.Errorf("ask the checksum database %s for Go %s: %s", sums.name, v.text, why)
	}
	want := toolchainModule + " " + v.module() + " " + have
	if !slices.Contains(lines, want) {
		return fmt.Errorf("check Go %s: %w", v.text, errSum)
	}
	return nil
}

// sums answers what the client of a checksum database asks for. It remembers
// for one build only.
type sums struct {
	name, key string
	direct    *url.URL
	get       func(base *url.URL, path string) ([]byte, error)
	proxies   []proxy

	mu    sync.Mutex
	base  *url.URL // where the database answers, once it is known
	kept  map[string][]byte
	found bool
}

var _ sumdb.ClientOps = (*sums)(nil)

// newSums reads a GOSUMDB: a name, or a key, and perhaps an address.
func newSums(ctx context.Context, ps *proxies, setting string) (*sums, error) {
	s := &sums{name: sumsName, key: sumsKey, proxies: ps.list, kept: map[string][]byte{}}
	s.get = func(base *url.URL, path string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		body, err := ps.openFrom(ctx, base, strings.TrimPrefix(path, "/"))
		if err != nil {
			return nil, err
		}
		return readAll(body, maxSumsAnswer)
	}
	fields := strings.Fields(setting)
	if len(fields) > 0 {
		name, _, isKey := strings.Cut(fields[0], "+")
		switch {
		case isKey:
			s.name, s.key = name, fields[0]
		case name == "sum.golang.google.cn":
			fields = []string{name, "https://" + name}
		case name != sumsName:
			return nil, fmt.Errorf("read GOSUMDB: the key of the checksum database %q is missing", name)
		}
	}
	address := "https://" + s.name
	if len(fields) > 1 {
		address = fields[1]
	}
	direct, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("read GOSUMDB: its address is wrong")
	}
	s.direct = direct
	return s, nil
}

// ReadRemote asks the database, through the first proxy that passes it on.
func (s *sums) ReadRemote(path string) ([]byte, error) { return s.get(s.where(), path) }

func (s *sums) where() *url.URL {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found {
		return s.base
	}
	s.base, s.found = s.direct, true
	for _, p := range s.proxies {
		if p.off || p.base.Scheme == "file" || p.base.String() == directProxy {
			continue
		}
		at := p.base.JoinPath("sumdb", s.name)
		if _, err := s.get(at, "supported"); err == nil {
			s.base = at
			break
		}
	}
	return s.base
}

// ReadConfig gives the key, and the newest tree that was seen.
func (s *sums) ReadConfig(file string) ([]byte, error) {
	if file == "key" {
		return []byte(s.key), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[file], nil
}

// WriteConfig keeps the newest tree that was seen.
func (s *sums) WriteConfig(file string, old, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(s.kept[file]) != string(old) {
		return sumdb.ErrWriteConflict
	}
	s.kept[file] = data
	return nil
}

// ReadCache finds nothing: one build asks for each thing once.
func (s *sums) ReadCache(string) ([]byte, error) { return nil, errNotFound }

// WriteCache forgets.
func (s *sums) WriteCache(string, []byte) {}

// Log says nothing.
func (s *sums) Log(string) {}

// SecurityError says nothing: the lookup fails with the same text.
func (s *sums) SecurityError(string) {}
