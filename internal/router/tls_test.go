package router_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/zap"

	"slipway/internal/router"
)

// secure starts the two servers, plain and TLS, in front of one dyno.
func secure(t *testing.T, cfg router.TLSConfig) (store *router.TLS, tlsAddr string, ports map[string]int) {
	t.Helper()
	rt := router.New(router.Config{
		Apps:   &apps{dynos: []router.Upstream{serve(t, "web.1", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("X-Forwarded-Proto")) })}},
		Domain: "localhost",
	})
	plain, web := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(rt)
	cfg.HTTPPort, cfg.TLSPort = port(plain.Listener), port(web.Listener)
	store, err := router.OpenTLS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	plain.Config.Handler = store.HTTP(rt)
	web.Config.ErrorLog = zap.NewStdLog(zap.NewNop()) // of handshakes that fail, as they must
	plain.Start()
	web.EnableHTTP2 = true
	web.TLS = store.Config()
	web.StartTLS()
	// httptest adds a certificate of its own; ours must come first.
	web.TLS.Certificates = nil
	t.Cleanup(func() {
		web.CloseClientConnections()
		plain.CloseClientConnections()
		web.Close()
		plain.Close()
		rt.Close()
		store.Close()
	})
	return store, web.Listener.Addr().String(), map[string]int{"http": cfg.HTTPPort, "tls": cfg.TLSPort}
}

func port(ln net.Listener) int {
	addr, _ := ln.Addr().(*net.TCPAddr)
	return addr.Port
}

// visit gets a page over TLS, and tells who issued the certificate.
func visit(t *testing.T, addr, host string, roots *x509.CertPool) (body, proto string, leaf *x509.Certificate, err error) {
	t.Helper()
	tr := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		},
	}
	defer tr.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+host+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		return "", "", nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), resp.Proto, resp.TLS.PeerCertificates[0], nil
}

func TestOwnCertificates(t *testing.T) {
	t.Parallel()
	store, addr, _ := secure(t, router.TLSConfig{})
	if _, _, _, err := visit(t, addr, "hello.localhost", nil); err == nil {
		t.Error("TLS without any certificate = <nil>, want an error")
	}
	exact, wild := mint(t, "www.example.com"), mint(t, "*.localhost")
	old := mint(t, "www.example.com", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(time.Minute) })
	err := store.SetCerts([]router.Cert{exact.Cert, old.Cert, wild.Cert, {Chain: exact.Chain, Key: wild.Key}})
	if err == nil {
		t.Error("SetCerts with one broken pair = <nil>, want an error")
	}
	for host, of := range map[string]minted{"www.example.com": exact, "hello.localhost": wild} {
		body, proto, leaf, err := visit(t, addr, host, of.roots)
		if err != nil || body != "https" || proto != "HTTP/2.0" {
			t.Errorf("GET https://%s = %q over %s, %v, want the dyno's answer over HTTP/2.0", host, body, proto, err)
		} else if !leaf.Equal(of.leaf) {
			t.Errorf("GET https://%s has the certificate of %v, want its own, the one that lasts longest", host, leaf.NotAfter)
		}
	}
	if err := store.SetCerts(nil); err != nil {
		t.Errorf("SetCerts(nil) = %v, want <nil>", err)
	}
	if _, _, _, err := visit(t, addr, "www.example.com", exact.roots); err == nil {
		t.Error("TLS after the certificates were removed = <nil>, want an error")
	}
}

// TestHTTP2 streams both ways at once over HTTP/2, for longer than either side
// may be silent.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	const idle = 200 * time.Millisecond
	dyno := script(t, "web.1", func(c net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nbegun ") // and then silence, while the client sends
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(c, n, " ", err)
	})
	b := &bench{apps: &apps{dynos: []router.Upstream{dyno}}, more: make(chan struct{}, 1)}
	b.router = router.New(router.Config{Apps: b.apps, Domain: "localhost", Log: b.log, Idle: idle, FirstByte: idle})
	b.Server = httptest.NewUnstartedServer(b.router)
	b.EnableHTTP2 = true
	b.StartTLS()
	t.Cleanup(func() {
		b.router.Close()
		b.CloseClientConnections()
		b.Close()
	})
	body, pen := io.Pipe()
	go func() {
		defer pen.Close()
		tick := time.NewTicker(idle / 4)
		defer tick.Stop()
		for range 12 {
			<-tick.C
			io.WriteString(pen, "x")
		}
	}()
	r := b.request(t, "POST", "/", body)
	r.Header.Set("Cookie", "a=b")
	if resp, text := b.do(t, r); resp.StatusCode != 200 || text != "begun 12 <nil>" {
		t.Errorf("POST = %d %q, want the whole answer", resp.StatusCode, text)
	}
	if line := b.line(t, 0); field(line, "protocol") != "https" || field(line, "bytes") != "14" {
		t.Errorf("line is %s, want protocol=https bytes=14", line)
	}

	// A client that breaks off.
	body, pen = io.Pipe()
	resp, err := b.Client().Do(b.request(t, "POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	pen.CloseWithError(errors.New("changed my mind"))
	if line := b.line(t, 1); field(line, "code") != "H18" || field(line, "sock") != "client" {
		t.Errorf("line is %s, want code=H18 sock=client", line)
	}
}

// TestACME gets a certificate from a real ACME server, Pebble, whose challenges
// come to our own servers.
func TestACME(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an ACME server")
	}
	t.Parallel()
	program := filepath.Join(t.TempDir(), "pebble")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/letsencrypt/pebble/v2/cmd/pebble").CombinedOutput(); err != nil {
		t.Fatalf("build Pebble: %v\n%s", err, out)
	}
	for _, c := range []struct{ name, closed string }{
		{"http-01", "tls"},
		{"tls-alpn-01", "http"},
	} {
		// One after the other: certmagic keeps what it waits for by name, once
		// for the whole process.
		t.Run(c.name, func(t *testing.T) { certificateFrom(t, program, c.closed) })
	}
}

// certificateFrom runs Pebble with the ports of our servers, but for the one
// that is closed to it.
func certificateFrom(t *testing.T, program, closed string) {
	t.Helper()
	own := mint(t, "localhost")
	ca := reserve(t)
	store, addr, ports := secure(t, router.TLSConfig{
		CA: "https://localhost:" + strconv.Itoa(ca) + "/dir", Email: "ops@example.com",
		Storage: t.TempDir(), Roots: own.roots,
		AllowHost: func(_ context.Context, host string) bool {
			return host == "hello.localhost" || host == "www.example.com"
		},
	})
	ports[closed] = reserve(t)
	roots := pebble(t, program, ca, ports["http"], ports["tls"], own)

	body, _, leaf, err := visit(t, addr, "www.example.com", roots)
	if err != nil || body != "https" {
		t.Fatalf("GET https://www.example.com = %q, %v, want the dyno's answer", body, err)
	}
	if _, _, again, err := visit(t, addr, "www.example.com", roots); err != nil || !again.Equal(leaf) {
		t.Errorf("the second connection has another certificate (%v), want the same", err)
	}
	if _, _, _, err := visit(t, addr, "other.example.com", roots); err == nil {
		t.Error("TLS for a host of no app = <nil>, want an error")
	}
	brought := mint(t, "www.example.com")
	if err := store.SetCerts([]router.Cert{brought.Cert}); err != nil {
		t.Fatal(err)
	}
	if _, _, leaf, err := visit(t, addr, "www.example.com", brought.roots); err != nil || !leaf.Equal(brought.leaf) {
		t.Errorf("a certificate that somebody brought does not win over the CA's: %v", err)
	}
}

// reserve finds a port that nothing listens on.
func reserve(t *testing.T) int {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return port(ln)
}

// pebble runs the ACME server until the test ends, and returns what it signs
// with.
func pebble(t *testing.T, program string, listen, httpPort, tlsPort int, own minted) *x509.CertPool {
	t.Helper()
	dir := t.TempDir()
	chain, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	manage := "127.0.0.1:" + strconv.Itoa(reserve(t))
	cfg, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress":           "127.0.0.1:" + strconv.Itoa(listen),
		"managementListenAddress": manage,
		"httpPort":                httpPort, "tlsPort": tlsPort, "certificate": chain, "privateKey": key,
		"retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "pebble.json")
	for name, text := range map[string]string{chain: own.Chain, key: own.Key, config: string(cfg)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-config", config, "-dnsserver", resolver(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=20")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Pebble said:\n%s", said.String())
		}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(fetchRoot(t, "https://"+manage+"/roots/0", own.roots))
	return roots
}

// fetchRoot waits until Pebble answers.
func fetchRoot(t *testing.T, address string, trusted *x509.CertPool) []byte {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "localhost"}}
	defer tr.CloseIdleConnections()
	for n := 0; ; n++ {
		r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(r)
		if err != nil {
			if n == 100 {
				t.Fatalf("Pebble does not answer within 10s: %v", err)
			}
			<-time.After(100 * time.Millisecond)
			continue
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

// resolver answers that every name is this machine.
func resolver(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
				A:   net.IPv4(127, 0, 0, 1),
			}}
		}
		_ = w.WriteMsg(m)
	})}
	ended := make(chan error, 1)
	go func() { ended <- srv.ActivateAndServe() }()
	t.Cleanup(func() {
		_ = srv.Shutdown()
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("resolver: %v", err)
		}
	})
	return conn.LocalAddr().String()
}

// A minted certificate is signed by itself.
type minted struct {
	router.Cert
	leaf  *x509.Certificate
	roots *x509.CertPool
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
