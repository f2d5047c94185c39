package embedded_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/jsonmessage"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.uber.org/zap"

	"slipway/buildpacks/embedded"
)

// serve is a registry that wants a password, if there is one.
func serve(t *testing.T, password string) string {
	t.Helper()
	reg := registry.New(registry.Logger(zap.NewStdLog(zap.NewNop())))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		reg.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return strings.TrimPrefix(srv.URL, "http://")
}

func pull(t *testing.T, e *embedded.Engine, ref string, o client.ImagePullOptions) (string, error) {
	t.Helper()
	res, err := e.ImagePull(t.Context(), ref, o)
	if err != nil {
		return "", err
	}
	defer res.Close()
	var out bytes.Buffer
	// As pack shows it.
	err = jsonmessage.DisplayJSONMessagesStream(res, &out, 0, false, nil)
	return out.String(), err
}

func TestPull(t *testing.T) {
	e := open(t)
	host := serve(t, "secret")
	other, err := mutate.AppendLayers(empty.Image, layerOf(t, file{name: "wrong", text: "wrong"}))
	if err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: other, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}},
		mutate.IndexAddendum{Add: box(t), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
	)
	ref, err := name.ParseReference(host + "/team/builder:24")
	if err != nil {
		t.Fatal(err)
	}
	signedIn := remote.WithAuth(&authn.Basic{Username: "me", Password: "secret"})
	if err := remote.WriteIndex(ref, index, signedIn); err != nil {
		t.Fatal(err)
	}
	auth := func(password string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"username":"me","password":"` + password + `"}`))
	}
	if _, err := pull(t, e, ref.Name(), client.ImagePullOptions{RegistryAuth: auth("wrong")}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong password gives %v", err)
	}
	out, err := pull(t, e, ref.Name(), client.ImagePullOptions{RegistryAuth: auth("secret")})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Pulling from team/builder", "Pulling fs layer", "Download complete", "Pull complete", "Digest: sha256:"} {
		if !strings.Contains(out, want) {
			t.Errorf("progress lacks %q:\n%s", want, out)
		}
	}
	in, err := e.ImageInspect(t.Context(), ref.Name())
	if err != nil || in.Config.User != "cnb" || len(in.RepoDigests) != 1 {
		t.Fatalf("inspect = %+v, %v", in, err)
	}
	// By the digest of the index, as pack resolves builders, and by the
	// manifest's own.
	digest, _ := index.Digest()
	if _, err := e.ImageInspect(t.Context(), host+"/team/builder@"+digest.String()); err != nil {
		t.Error(err)
	}
	one, _ := box(t).Digest()
	if _, err := pull(t, e, host+"/team/builder@"+one.String(), client.ImagePullOptions{RegistryAuth: auth("secret"), Platforms: []ocispec.Platform{{OS: "linux", Architecture: "amd64"}}}); err != nil {
		t.Error(err)
	}
	c := shell("echo pulled")
	c.Image = host + "/team/builder@" + one.String()
	if out, _, _ := run(t, e, create(t, e, c, nil)); out != "pulled\n" {
		t.Errorf("out = %q", out)
	}
	if _, err := pull(t, e, host+"/team/none:1", client.ImagePullOptions{RegistryAuth: auth("secret")}); !cerrdefs.IsNotFound(err) {
		t.Errorf("a missing image gives %v, want not found", err)
	}
	if _, err := pull(t, e, ref.Name(), client.ImagePullOptions{RegistryAuth: auth("secret"), Platforms: []ocispec.Platform{{OS: "linux", Architecture: "riscv64"}}}); err == nil {
		t.Error("a platform that is not there was pulled")
	}
	if _, err := pull(t, e, ref.Name(), client.ImagePullOptions{RegistryAuth: "!!"}); !cerrdefs.IsInvalidArgument(err) {
		t.Errorf("broken credentials give %v", err)
	}
}

func TestPullGivenUp(t *testing.T) {
	e := open(t)
	host := serve(t, "")
	ref, err := name.ParseReference(host + "/box:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, box(t)); err != nil {
		t.Fatal(err)
	}
	res, err := e.ImagePull(t.Context(), ref.Name(), client.ImagePullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
	if err := func() error {
		res, err := e.ImagePull(t.Context(), ref.Name(), client.ImagePullOptions{})
		if err != nil {
			return err
		}
		return res.Wait(t.Context())
	}(); err != nil {
		t.Errorf("pulling again: %v", err)
	}
}

// What no image refers to is deleted, but not while a container uses it.
func TestReclaim(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	e := openIn(t, dir, "")
	load(t, e, archiveOf(t, "test/box:1", box(t)))
	id := create(t, e, shell("sleep 0.2; echo alive"), nil)
	if _, err := e.ImageRemove(t.Context(), "test/box:1", client.ImageRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if out, _, code := run(t, e, id); out != "alive\n" || code != 0 {
		t.Errorf("out = %q, code %d", out, code)
	}
	if n := blobs(t, dir); n == 0 {
		t.Error("the blobs went while a container used them")
	}
	if _, err := e.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil { // waits for the collector
		t.Fatal(err)
	}
	second, err := embedded.Open(t.Context(), embedded.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if n := blobs(t, dir); n != 0 {
		t.Errorf("%d blobs are left", n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "images/overlayfs/snapshots/*")); len(left) != 0 {
		t.Errorf("snapshots are left: %v", left)
	}
}

func blobs(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "images/content/blobs/sha256"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(entries)
}
