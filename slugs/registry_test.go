package slugs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"slipway/slugs"
)

const adminToken = "the-admin-token"

// userToken may do everything but touch releases.
const userToken = "a-user-token"

// authorize knows two tokens.
func authorize(_ context.Context, token, _ string, action slugs.Action) error {
	switch {
	case token == userToken && action == slugs.Replace:
		return slugs.ErrReleased
	case token != adminToken && token != userToken:
		return slugs.ErrUnauthorized
	}
	return nil
}

func open(t *testing.T, dir string) (*slugs.Registry, string) {
	t.Helper()
	reg, err := slugs.Open(t.Context(), slugs.Config{Dir: dir, Authorize: authorize})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	srv := httptest.NewServer(reg)
	t.Cleanup(srv.Close)
	return reg, strings.TrimPrefix(srv.URL, "http://")
}

func signedIn(token string) remote.Option {
	return remote.WithAuth(&authn.Basic{Username: "anybody", Password: token})
}

func image(t *testing.T, label string) v1.Image {
	t.Helper()
	img, err := random.Image(1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.Config(img, v1.Config{Labels: map[string]string{"who": label}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func push(t *testing.T, ref string, img v1.Image, token string) error {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return remote.Write(r, img, signedIn(token), remote.WithContext(t.Context()))
}

func pull(t *testing.T, ref, token string) (v1.Image, error) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return remote.Image(r, signedIn(token), remote.WithContext(t.Context()))
}

func digestOf(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func statusOf(err error) int {
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		return answer.StatusCode
	}
	return 0
}

// TestReleasesAreImmutable shows that whoever may push, but not replace, cannot
// overwrite or delete what the server has tagged.
func TestReleasesAreImmutable(t *testing.T) {
	reg, host := open(t, t.TempDir())
	img := image(t, "shop")
	if err := push(t, host+"/shop:mine", img, userToken); err != nil {
		t.Fatalf("push: %v", err)
	}
	digest := digestOf(t, img)
	if err := reg.Tag(t.Context(), "shop", "v1", digest); err != nil {
		t.Fatalf("Tag: %v", err)
	}
	for _, tag := range []string{"v1", "v2", "latest", "build-x"} {
		if err := push(t, host+"/shop:"+tag, image(t, "evil"), userToken); statusOf(err) != http.StatusForbidden {
			t.Errorf("push of %s: %v, want 403", tag, err)
		}
	}
	for _, ref := range []string{"shop:v1", "shop@" + digest} {
		r, err := name.ParseReference(host + "/" + ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Delete(r, signedIn(userToken)); statusOf(err) != http.StatusForbidden {
			t.Errorf("delete of %s: %v, want 403", ref, err)
		}
	}
	if found, err := reg.Resolve(t.Context(), "shop", "v1"); err != nil || found.Digest != digest {
		t.Errorf("Resolve = %+v, %v; want the image as it was", found, err)
	}
}

func TestImageIsPushedTaggedAndPulled(t *testing.T) {
	reg, host := open(t, t.TempDir())
	img := image(t, "shop")
	if err := push(t, host+"/shop:build-1", img, adminToken); err != nil {
		t.Fatalf("push: %v", err)
	}
	digest := digestOf(t, img)
	if err := reg.Tag(t.Context(), "shop", "v1", digest); err != nil {
		t.Fatalf("Tag: %v", err)
	}
	got, err := pull(t, host+"/shop:v1", adminToken)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	if d := digestOf(t, got); d != digest {
		t.Errorf("pulled %s, want %s", d, digest)
	}
	found, err := reg.Resolve(t.Context(), "shop", "v1")
	if err != nil {
		t.Fatalf("Resolve: %v", err)
	}
	if found.Digest != digest || found.Labels["who"] != "shop" || found.Size < 2048 {
		t.Errorf("Resolve = %+v, want digest %s, label who=shop, at least 2048 bytes", found, digest)
	}
	if _, err := reg.Resolve(t.Context(), "shop", "v2"); !errors.Is(err, slugs.ErrNotFound) {
		t.Errorf("Resolve of a missing tag: %v, want ErrNotFound", err)
	}
	if err := reg.Tag(t.Context(), "shop", "v2", "sha256:"+strings.Repeat("0", 64)); !errors.Is(err, slugs.ErrNotFound) {
		t.Errorf("Tag of a missing image: %v, want ErrNotFound", err)
	}
}

func TestImagesSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	_, host := open(t, dir)
	if err := push(t, host+"/shop:v1", image(t, "shop"), adminToken); err != nil {
		t.Fatal(err)
	}
	_, host = open(t, dir)
	if _, err := pull(t, host+"/shop:v1", adminToken); err != nil {
		t.Errorf("pull after reopening: %v", err)
	}
}

func TestWrongTokenIsRefused(t *testing.T) {
	_, host := open(t, t.TempDir())
	if err := push(t, host+"/shop:v1", image(t, "shop"), "wrong"); statusOf(err) != http.StatusUnauthorized {
		t.Errorf("push with a wrong token: %v, want status 401", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") {
		t.Errorf("GET /v2/ without sign-in = %d, %q; want 401 and a Basic challenge", resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
	}
}

func TestGrantReachesItsOwnRepositoryOnly(t *testing.T) {
	reg, host := open(t, t.TempDir())
	if err := push(t, host+"/other:v1", image(t, "other"), adminToken); err != nil {
		t.Fatal(err)
	}
	if err := push(t, host+"/slipway/run:1", image(t, "run"), adminToken); err != nil {
		t.Fatal(err)
	}
	token, revoke := reg.Grant("shop")
	if err := push(t, host+"/shop:build-1", image(t, "shop"), token); err != nil {
		t.Errorf("push to its own repository: %v", err)
	}
	if _, err := pull(t, host+"/slipway/run:1", token); err != nil {
		t.Errorf("pull of the run image: %v", err)
	}
	if err := push(t, host+"/slipway/run:1", image(t, "evil"), token); statusOf(err) != http.StatusForbidden {
		t.Errorf("push of the run image: %v, want status 403", err)
	}
	if _, err := pull(t, host+"/other:v1", token); statusOf(err) != http.StatusForbidden {
		t.Errorf("pull of another app: %v, want status 403", err)
	}
	if err := push(t, host+"/other:v1", image(t, "evil"), token); statusOf(err) != http.StatusForbidden {
		t.Errorf("push to another app: %v, want status 403", err)
	}
	revoke()
	if _, err := pull(t, host+"/shop:build-1", token); statusOf(err) != http.StatusUnauthorized {
		t.Errorf("pull with a revoked token: %v, want status 401", err)
	}
}

func TestGrantCannotMountAnotherAppsLayer(t *testing.T) {
	reg, host := open(t, t.TempDir())
	secret := image(t, "other")
	if err := push(t, host+"/other:v1", secret, adminToken); err != nil {
		t.Fatal(err)
	}
	layers, err := secret.Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	token, revoke := reg.Grant("shop")
	defer revoke()
	address := "http://" + host + "/v2/shop/blobs/uploads/?mount=" + digest.String() + "&from=other"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("build", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("mount of another app's layer = %d, want 403", resp.StatusCode)
	}
}

func TestImportStoresAnImageOnce(t *testing.T) {
	reg, host := open(t, t.TempDir())
	img := image(t, "run")
	for range 2 {
		if err := reg.Import(t.Context(), img, "slipway/run", "1"); err != nil {
			t.Fatalf("Import: %v", err)
		}
	}
	got, err := pull(t, host+"/slipway/run:1", adminToken)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	if digestOf(t, got) != digestOf(t, img) {
		t.Errorf("pulled %s, want %s", digestOf(t, got), digestOf(t, img))
	}
}

func TestSweepTakesWhatNobodyWants(t *testing.T) {
	dir := t.TempDir()
	reg, host := open(t, dir)
	kept, dropped := image(t, "kept"), image(t, "dropped")
	if err := push(t, host+"/shop:v2", kept, adminToken); err != nil {
		t.Fatal(err)
	}
	if err := push(t, host+"/shop:v1", dropped, adminToken); err != nil {
		t.Fatal(err)
	}
	before := blobs(t, dir)
	keep := func(_, tag string) bool { return tag == "v2" }

	release := reg.HoldSweep()
	if err := reg.Sweep(t.Context(), keep); !errors.Is(err, slugs.ErrBusy) {
		t.Errorf("Sweep while a build runs: %v, want ErrBusy", err)
	}
	release()

	if err := reg.Sweep(t.Context(), keep); err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	if after := blobs(t, dir); after != before/2 {
		t.Errorf("%d blobs after the sweep, want %d of %d", after, before/2, before)
	}
	if _, err := pull(t, host+"/shop:v1", adminToken); statusOf(err) != http.StatusNotFound {
		t.Errorf("pull of a swept image: %v, want status 404", err)
	}
	got, err := pull(t, host+"/shop:v2", adminToken)
	if err != nil {
		t.Fatalf("pull of a kept image: %v", err)
	}
	if err := remote.Write(mustRef(t, host+"/shop:again"), dropped, signedIn(adminToken)); err != nil {
		t.Errorf("push of a swept image, again: %v", err)
	}
	if digestOf(t, got) != digestOf(t, kept) {
		t.Errorf("pulled %s, want %s", digestOf(t, got), digestOf(t, kept))
	}
	again, err := pull(t, host+"/shop:again", adminToken)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := again.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			t.Fatalf("layer of an image pushed again after a sweep: %v", err)
		}
		r.Close()
	}
}

func mustRef(t *testing.T, s string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blobs counts the blobs on disk.
func blobs(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, "images"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "data" && strings.Contains(path, "/blobs/sha256/") {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
