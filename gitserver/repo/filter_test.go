package repo_test

import (
	"errors"
	"strings"
	"testing"

	"slipway/gitserver/repo"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{
		"blob:none", "blob:limit=0", "blob:limit=1k", "blob:limit=2M", "blob:limit=3g", "tree:0", "tree:12", "object:type=commit",
		"object:type=tag", "combine:blob:none", "combine:tree:2+blob:limit%3D5", "combine:+tree:2+", "combine:combine%3Atree:1%2btree:2+blob:none",
		"combine:object:type%3Dblob+object:type%3Dtree",
	} {
		if _, err := repo.ParseFilter(spec); err != nil {
			t.Errorf("ParseFilter(%q) = %v", spec, err)
		}
	}
	for _, spec := range []string{
		"", "blob", "blob:some", "blob:limit=", "blob:limit=k", "blob:limit=-1", "blob:limit=9223372036854775807k", "tree:", "tree:x",
		"object:type=", "object:type=trees", "combine:", "combine:blob:limit=~1", "combine:tree:1+blob:%zz", "combine:tree:1 2",
		"sparse:oid=HEAD:x", "sparse:path=x", "combine:sparse:oid%3DHEAD", "combine:" + strings.Repeat("tree:1+", 200), "auto",
	} {
		if f, err := repo.ParseFilter(spec); !errors.Is(err, repo.ErrFilter) {
			t.Errorf("ParseFilter(%q) = %v, %v, want ErrFilter", spec, f, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("combine:tree:2+blob:limit%3D5k")
	f.Add("combine:combine:combine:")
	f.Fuzz(func(t *testing.T, spec string) {
		got, err := repo.ParseFilter(spec)
		if (got == nil) == (err == nil) || err != nil && !errors.Is(err, repo.ErrFilter) {
			t.Errorf("ParseFilter(%q) = %v, %v", spec, got, err)
		}
	})
}
