package sources

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"slipway/internal/netns"
)

const (
	// fetchTimeout bounds the whole of a fetch.
	fetchTimeout = 10 * time.Minute
	// answerTimeout bounds connecting, and waiting for the answer to begin.
	answerTimeout = 30 * time.Second
	// maxRedirects is how many are followed.
	maxRedirects = 5
)

// A Fetcher reads tarballs from the addresses of others.
type Fetcher struct {
	// Reach are the HOST:PORT on this machine and its networks that it may read
	// from; everything outside is open.
	Reach []string
	// What is fetched, in errors; "source" if empty.
	What string
}

func (f Fetcher) what() string { return cmp.Or(f.What, "source") }

// CheckURL returns nil for an address that can be fetched from.
func CheckURL(address string) error { return Fetcher{}.checkURL(address) }

func (f Fetcher) checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return refuse("the address of the %s is no http or https URL: write https://example.com/%[1]s.tgz%s", f.what(), f.upload(", or upload it (POST /sources)"))
	}
	return nil
}

// upload is advice for sources alone.
func (f Fetcher) upload(advice string) string {
	if f.what() == "source" {
		return advice
	}
	return ""
}

// Shown is an address without what may be secret in it: a password and a query.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Get opens what is at an address. An [*Error] says why it cannot. It is to be
// closed.
func (f Fetcher) Get(ctx context.Context, address string) (io.ReadCloser, error) {
	if err := f.checkURL(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	body, err := f.get(ctx, address)
	if err != nil {
		cancel()
		return nil, err
	}
	return &fetched{ReadCloser: body, cancel: cancel}, nil
}

func (f Fetcher) get(ctx context.Context, address string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, refuse("the address of the %s is no http or https URL", f.what())
	}
	req.Header.Set("User-Agent", "slipway")
	client := &http.Client{Transport: f.transport(), CheckRedirect: f.checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		return nil, f.explain(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // nothing of it is read
		return nil, refuse("the server at %s answers with %s: check the address, and whether it has expired", resp.Request.URL.Host, resp.Status)
	}
	return resp.Body, nil
}

// explain leaves the address out, which may hold secrets.
func (f Fetcher) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err
	}
	return refuse("the %s cannot be fetched: %v", f.what(), err)
}

func (f Fetcher) transport() *http.Transport {
	return &http.Transport{
		// No proxy: what it may reach nobody here can check.
		DialContext:           f.dial,
		TLSHandshakeTimeout:   answerTimeout,
		ResponseHeaderTimeout: answerTimeout,
		DisableKeepAlives:     true,
		DisableCompression:    true, // the tarball comes as it is
	}
}

// dial connects to addresses outside, and to what is in Reach.
func (f Fetcher) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Timeout: answerTimeout}
	if !slices.Contains(f.Reach, address) {
		// The kernel's address is looked at, not the name's: a name may have another
		// one a moment later.
		d.Control = func(_, address string, _ syscall.RawConn) error { return f.checkAddress(address) }
	}
	return d.DialContext(ctx, network, address)
}

func (f Fetcher) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return refuse("the address of the %s redirects more than %d times", f.what(), maxRedirects)
	}
	req.Header.Del("Referer") // the address before may hold secrets
	return f.checkURL(req.URL.String())
}

// checkAddress refuses the addresses of this machine and its networks.
func (f Fetcher) checkAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if slices.Contains(f.Reach, address) || outside(at.Addr().Unmap()) {
		return nil
	}
	return refuse("the %s is at a private address, which builds do not reach: %sask for it to be opened (--build-reach HOST:PORT)", f.what(), f.upload("upload it (POST /sources), or "))
}

// closed are what builds do not reach, and of IPv6, which they do not have, the
// private and special ranges (RFC 6890), those in which IPv4 addresses can hide
// among them.
var closed = func() []netip.Prefix {
	all := netns.Private()
	for _, p := range []string{
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "fc00::/7", "fe80::/9", "ff00::/8",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}()

// outside reports whether an address is none of this machine or its networks.
func outside(ip netip.Addr) bool {
	ip = ip.WithZone("")
	if slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return false
	}
	own, err := net.InterfaceAddrs()
	return err == nil && !slices.ContainsFunc(own, func(a net.Addr) bool {
		at, is := a.(*net.IPNet)
		return is && at.IP.Equal(ip.AsSlice())
	})
}

// A fetched body ends its deadline when it is closed.
type fetched struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close gives the connection up.
func (f *fetched) Close() error {
	defer f.cancel()
	return f.ReadCloser.Close()
}
