package embedded_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/internal/netns"
)

// hello is a port of the host that builds may reach.
func hello(tb testing.TB, addr string) netns.Port {
	tb.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello from the host") }))
	tb.Cleanup(srv.Close)
	return netns.Port{Addr: netip.MustParseAddrPort(addr), Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", srv.Listener.Addr().String())
	}}
}

func TestNetwork(t *testing.T) {
	e := withBox(t)
	n, err := e.OpenNetwork(t.Context(), []netns.Port{hello(t, "127.0.0.1:5000")})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	// Several containers share it, one after the other and at once.
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			id := create(t, e, shell(`wget -q -O - http://127.0.0.1:5000/; ip link | grep -c eth0; cat /etc/resolv.conf`), &container.HostConfig{NetworkMode: container.NetworkMode(n.Mode())})
			var out, errOut strings.Builder
			if _, err := runInto(t.Context(), e, id, &out, &errOut); err != nil {
				t.Error(err)
			}
			if want := "hello from the host1\nnameserver 127.0.0.53\n"; out.String() != want {
				t.Errorf("out = %q, want %q; %s", out.String(), want, errOut.String())
			}
		})
	}
	wg.Wait()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	_, err = e.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: shell("true"), HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(n.Mode())}})
	if !cerrdefs.IsNotFound(err) {
		t.Errorf("a closed network gives %v, want not found", err)
	}
}

// pack makes a network of its own where it is given none.
func TestPackNetwork(t *testing.T) {
	e := withBox(t)
	name := "pack.local-network-71"
	if _, err := e.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{Driver: "bridge"}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{}); !cerrdefs.IsConflict(err) {
		t.Errorf("a second network of the name gives %v, want conflict", err)
	}
	out, _, _ := run(t, e, create(t, e, shell(`ip link | grep -c eth0`), &container.HostConfig{NetworkMode: container.NetworkMode(name)}))
	if out != "1\n" {
		t.Errorf("out = %q", out)
	}
	if _, err := e.NetworkRemove(t.Context(), name, client.NetworkRemoveOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := e.NetworkRemove(t.Context(), name, client.NetworkRemoveOptions{}); !cerrdefs.IsNotFound(err) {
		t.Errorf("removing it again gives %v, want not found", err)
	}
}

func TestOwnNetwork(t *testing.T) {
	e := withBox(t)
	out, _, _ := run(t, e, create(t, e, shell(`ip route`), &container.HostConfig{}))
	if !strings.Contains(out, "default via 169.254.96.1") {
		t.Errorf("out = %q", out)
	}
}

func BenchmarkBuild(b *testing.B) {
	e := withBox(b)
	port := hello(b, "127.0.0.1:5000")
	c := shell("")
	c.Cmd = []string{"/bin/true"}
	for b.Loop() {
		n, err := e.OpenNetwork(b.Context(), []netns.Port{port})
		if err != nil {
			b.Fatal(err)
		}
		h := &container.HostConfig{NetworkMode: container.NetworkMode(n.Mode()), SecurityOpt: []string{"no-new-privileges=true"}, Binds: []string{"pack-app-b:/workspace", "pack-layers-b:/layers", "cache:/cache"}}
		res, err := e.ContainerCreate(b.Context(), client.ContainerCreateOptions{Config: c, HostConfig: h})
		if err != nil {
			b.Fatal(err)
		}
		if code, err := runInto(b.Context(), e, res.ID, io.Discard, io.Discard); code != 0 || err != nil {
			b.Fatal(code, err)
		}
		if _, err := e.ContainerRemove(b.Context(), res.ID, client.ContainerRemoveOptions{Force: true}); err != nil {
			b.Fatal(err)
		}
		for _, v := range []string{"pack-app-b", "pack-layers-b"} {
			if _, err := e.VolumeRemove(b.Context(), v, client.VolumeRemoveOptions{Force: true}); err != nil {
				b.Fatal(err)
			}
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
