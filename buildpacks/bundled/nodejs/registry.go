package nodejs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	publicRegistry = "https://registry.npmjs.org/"
	maxList        = 128 << 20 // of what the registry says of one package
	requestTimeout = 10 * time.Minute
	answerTimeout  = 30 * time.Second // until it begins to answer
	tries          = 3
	betweenTries   = 500 * time.Millisecond // doubled each time
)

// A registry is an npm registry.
type registry struct {
	base   *url.URL // ends with a slash
	client *http.Client
}

// newRegistry is the registry at address, the public one if that is empty.
func newRegistry(address string) (*registry, error) {
	if address == "" {
		address = publicRegistry
	}
	return siteAt(address)
}

// siteAt is the registry, or another site of files, at address.
func siteAt(address string) (*registry, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errNoAddress // which may hold a password
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTimeout, MaxIdleConnsPerHost: 1}
	return &registry{base: base, client: &http.Client{Transport: transport, Timeout: requestTimeout}}, nil
}

// errNoAddress says that a setting is no address.
var errNoAddress = errors.New("it is not an address such as https://registry.npmjs.org/")

// An unreachableError is why the registry did not answer.
type unreachableError struct {
	host string
	err  error
}

func (e *unreachableError) Error() string { return fmt.Sprintf("reach %s: %v", e.host, e.err) }

func (e *unreachableError) Unwrap() error { return e.err }

// A statusError is an answer of the registry that is no good.
type statusError struct {
	host, path string
	code       int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("get %s from %s: it answers %d %s", e.path, e.host, e.code, http.StatusText(e.code))
}

func (e *statusError) temporary() bool {
	return e.code >= http.StatusInternalServerError || e.code == http.StatusTooManyRequests
}

// A list is the releases of a package.
type list struct {
	ETag     string    `json:"etag"`
	Host     string    `json:"host"` // of the registry that said so
	Releases []release `json:"releases"`
}

// A release is a version of a package.
type release struct {
	Package   string            `json:"-"`
	Version   string            `json:"version"`
	Tarball   string            `json:"tarball"`
	Integrity string            `json:"integrity"`
	Bin       map[string]string `json:"bin,omitempty"`
	Node      string            `json:"node,omitempty"`  // the versions of Node.js that it runs on
	Needs     bool              `json:"needs,omitempty"` // other packages, which it does not bring with it
}

// list asks for the releases of a package. What it had at the last build, was,
// is returned if nothing has changed.
func (r *registry) list(ctx context.Context, name string, was list) (list, error) {
	address := r.base.JoinPath(strings.ReplaceAll(name, "/", "%2f"))
	header := http.Header{"Accept": {"application/vnd.npm.install-v1+json"}}
	if was.ETag != "" && was.Host == r.base.Host {
		header.Set("If-None-Match", was.ETag)
	}
	resp, err := r.get(ctx, address, header)
	if err != nil {
		return list{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode == http.StatusNotModified {
		return was, nil
	}
	var doc struct {
		Versions map[string]struct {
			Bin                  field[map[string]string]
			Bundled              field[[]string] `json:"bundleDependencies"`
			Engines              field[map[string]string]
			Dependencies         field[map[string]string]
			OptionalDependencies field[map[string]string] `json:"optionalDependencies"`
			Dist                 struct{ Tarball, Integrity string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxList)).Decode(&doc); err != nil {
		return list{}, &unreachableError{r.base.Host, fmt.Errorf("read what it says of %s: %w", name, err)}
	}
	l := list{ETag: resp.Header.Get("ETag"), Host: r.base.Host}
	for version, v := range doc.Versions {
		l.Releases = append(l.Releases, release{
			Version: version, Tarball: v.Dist.Tarball, Integrity: v.Dist.Integrity,
			Bin: v.Bin.value, Node: v.Engines.value["node"],
			Needs: len(v.Dependencies.value)+len(v.OptionalDependencies.value) > len(v.Bundled.value),
		})
	}
	return l, nil
}

// get asks, again where that may help. The answer is 200 or 304; its body is the
// caller's to close.
func (r *registry) get(ctx context.Context, address *url.URL, header http.Header) (*http.Response, error) {
	wait := betweenTries
	for try := 1; ; try++ {
		resp, err := r.getOnce(ctx, address, header)
		if err == nil || ctx.Err() != nil || try == tries || !isAway(err) {
			return resp, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		wait *= 2
	}
}

func (r *registry) getOnce(ctx context.Context, address *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, &unreachableError{address.Host, errors.New("its address is bad")}
	}
	req.Header = header
	resp, err := r.client.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the address around it may hold a password
		}
		return nil, &unreachableError{address.Host, err}
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	_ = resp.Body.Close() // nobody reads it
	return nil, &statusError{address.Host, address.Path, resp.StatusCode}
}

// tarball is the address of a release's file. A registry that passes on what the
// public one says names that one's files: they are asked of the mirror, as npm does.
func (r *registry) tarball(rel release) (*url.URL, error) {
	address, err := url.Parse(rel.Tarball)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("read the address of %s %s in the registry: %q is none", rel.Package, rel.Version, rel.Tarball)
	}
	if public, _ := url.Parse(publicRegistry); address.Host == public.Host && r.base.Host != public.Host {
		address = r.base.JoinPath(address.Path)
	}
	if address.Host == r.base.Host {
		address.User = r.base.User
	}
	return address, nil
}
