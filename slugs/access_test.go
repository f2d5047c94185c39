package slugs

import (
	"errors"
	"testing"
)

func TestRepositoryOf(t *testing.T) {
	for _, c := range []struct {
		path, want string
		refused    bool
	}{
		{path: "/v2/", want: ""},
		{path: "/v2/_catalog", want: Catalogue},
		{path: "/v2/shop/manifests/v1", want: "shop"},
		{path: "/v2/slipway/run/blobs/sha256:00", want: "slipway/run"},
		{path: "/v2/shop/blobs/uploads/", want: "shop"},
		{path: "/v2/shop/tags/list", want: "shop"},
		{path: "/v2/a/manifests/b/manifests/v1", want: "a/manifests/b"},
		{path: "/v2/shop", refused: true},
		{path: "/v2/manifests/v1", refused: true},
		{path: "/v1/shop/manifests/v1", refused: true},
	} {
		got, err := repositoryOf(c.path)
		if c.refused != errors.Is(err, ErrForbidden) || got != c.want {
			t.Errorf("repositoryOf(%q) = %q, %v; want %q, refused %t", c.path, got, err, c.want, c.refused)
		}
	}
}
