package golang

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	defaultProxy = "https://proxy.golang.org,direct"
	// directProxy is where golang.org/toolchain says that it can be had without a
	// proxy: its go-import is of the kind "mod".
	directProxy = "https://go.dev/dl/mod"

	answerTimeout = 30 * time.Second // until a proxy begins to answer
	fetchTimeout  = 10 * time.Minute // for a whole toolchain
)

var (
	errNotFound = errors.New("it has none")
	errOff      = errors.New("GOPROXY=off forbids it")
)

// A proxy is one entry of GOPROXY.
type proxy struct {
	base   *url.URL
	anyway bool // the next one is asked after any error, not only where this one has none
	off    bool
}

// name is the proxy for people, without its password.
func (p proxy) name() string { return p.base.Redacted() }

// proxies is a GOPROXY.
type proxies struct {
	list   []proxy
	client *http.Client
}

// parseProxies reads a GOPROXY as the go command does: entries that end in "|" let
// the next one try after any error, those in "," only where there is none.
func parseProxies(text string) (*proxies, error) {
	if strings.TrimSpace(text) == "" {
		text = defaultProxy
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTimeout, TLSHandshakeTimeout: answerTimeout}
	ps := &proxies{client: &http.Client{Transport: transport}}
	for text != "" {
		end := strings.IndexAny(text, ",|")
		entry, p := text, proxy{}
		text = ""
		if end >= 0 {
			entry, p.anyway, text = entry[:end], entry[end] == '|', entry[end+1:]
		}
		switch entry = strings.TrimSpace(entry); entry {
		case "":
			continue
		case "off":
			p.off = true
		case "direct", "noproxy":
			entry = directProxy
			fallthrough
		default:
			base, err := url.Parse(entry)
			if err != nil || base.Scheme != "http" && base.Scheme != "https" && base.Scheme != "file" {
				return nil, errors.New("read GOPROXY: an entry is no http, https or file address")
			}
			p.base = base
		}
		ps.list = append(ps.list, p)
	}
	return ps, nil
}

// open asks one proxy after the other for a file. Its user closes what it returns.
// The error is errNotFound only if all proxies say so.
func (ps *proxies) open(ctx context.Context, path string) (io.ReadCloser, error) {
	failed := &chainError{cause: errNotFound}
	for _, p := range ps.list {
		if p.off {
			failed.add("", errOff)
			break
		}
		body, err := ps.openFrom(ctx, p.base, path)
		if err == nil {
			return body, nil
		}
		failed.add(p.name()+": ", err)
		if ctx.Err() != nil || !p.anyway && !errors.Is(err, errNotFound) {
			break
		}
	}
	return nil, failed
}

// A chainError is what each of several proxies said.
type chainError struct {
	texts []string
	cause error // the first that was not errNotFound, if there is one
}

func (e *chainError) add(prefix string, err error) {
	e.texts = append(e.texts, prefix+err.Error())
	if errors.Is(e.cause, errNotFound) {
		e.cause = err
	}
}

func (e *chainError) Error() string { return strings.Join(e.texts, ";\n") }

func (e *chainError) Unwrap() error { return e.cause }

func (ps *proxies) openFrom(ctx context.Context, base *url.URL, path string) (io.ReadCloser, error) {
	if base.Scheme == "file" {
		f, err := os.Open(filepath.Join(filepath.FromSlash(base.Path), filepath.FromSlash(path)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNotFound
		}
		return f, err
	}
	to := *base
	to.Path, to.RawPath = strings.TrimSuffix(to.Path, "/")+"/"+path, ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, errors.New("make a request: its address is wrong") // the cause would name a password
	}
	resp, err := ps.client.Do(req)
	if err != nil {
		if where, ok := errors.AsType[*url.Error](err); ok {
			err = where.Err // the address is named already, and without a password
		}
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, nil
	case http.StatusNotFound, http.StatusGone:
		err = errNotFound
	default:
		err = fmt.Errorf("it answered %s", resp.Status)
	}
	return nil, errors.Join(err, resp.Body.Close())
}

// read reads a whole file of at most limit bytes.
func (ps *proxies) read(ctx context.Context, path string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	body, err := ps.open(ctx, path)
	if err != nil {
		return nil, err
	}
	return readAll(body, limit)
}

func readAll(body io.ReadCloser, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it answered with more than %d bytes", limit)
	}
	return data, nil
}
