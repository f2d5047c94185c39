package sources_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"slipway/internal/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An entry of a tarball; a regular file unless it says otherwise.
type entry struct {
	name, body, link string
	kind             byte
	mode             int64
}

func pack(t *testing.T, all ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, e := range all {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		if e.mode == 0 {
			e.mode = 0o644
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.body)), Mode: e.mode}
		if e.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": e.name}}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var small = sources.Limits{Bytes: 1 << 20, Files: 10}

// listing is what a tree has: "name=text", "name>link", "name*" if it runs.
func listing(t *testing.T, tree fs.FS) string {
	t.Helper()
	var all []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := fs.ReadLink(tree, name)
			all = append(all, name+">"+target)
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if info.Mode()&0o100 != 0 {
			name += "*"
		}
		all = append(all, name+"="+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestTarballsBecomeTrees(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		all          []entry
		want, folder string
	}{
		"files, with folders left out": {[]entry{{name: "./Procfile", body: "web: a"}, {name: "bin/a", body: "x", mode: 0o755}}, "Procfile=web: a bin/a*=x", ""},
		"links of both kinds":          {[]entry{{name: "a", body: "x"}, {name: "b", link: "a", kind: tar.TypeSymlink}, {name: "c", link: "a", kind: tar.TypeLink}}, "a=x b>a c=x", ""},
		"a file twice":                 {[]entry{{name: "a", body: "x"}, {name: "a", body: "y"}, {name: "b", body: "z"}}, "a=y b=z", ""},
		"a forge's, in one folder":     {[]entry{{name: "g", kind: tar.TypeXGlobalHeader}, {name: "app-1/", kind: tar.TypeDir}, {name: "app-1/a", body: "x"}}, "a=x", "app-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			raw := pack(t, c.all...)
			// A link out of the tree is as in git: it stays one, and leads nowhere.
			tree, err := sources.Unpack(t.Context(), bytes.NewReader(raw), fmt.Sprintf("SHA256:%x", sha256.Sum256(raw)), dir, small)
			if err != nil {
				t.Fatal(err)
			}
			if got := listing(t, tree); got != c.want || tree.Folder != c.folder {
				t.Errorf("Unpack = %s in %q, want %s in %q", got, tree.Folder, c.want, c.folder)
			}
			if err := tree.Close(); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
				t.Errorf("Close leaves %v, %v", left, err)
			}
		})
	}
}

func TestTarballsThatAreRefused(t *testing.T) {
	t.Parallel()
	good := pack(t, entry{name: "a", body: strings.Repeat("abc", 100)})
	many := make([]entry, 11)
	for i := range many {
		many[i] = entry{name: fmt.Sprint("f", i), body: "x"}
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"no tarball":                  {[]byte("hello"), "no gzipped tarball"},
		"nothing":                     {nil, "no gzipped tarball"},
		"no files":                    {pack(t), "no files"},
		"half of one":                 {good[:len(good)/2], "broken"},
		"a name that leads out":       {pack(t, entry{name: "../a", body: "x"}), "leads out"},
		"a name from the root":        {pack(t, entry{name: "/etc/a", body: "x"}), "leads out"},
		"a hard link that leads out":  {pack(t, entry{name: "a", link: "../../x", kind: tar.TypeLink}), "leads out"},
		"a hard link to nothing":      {pack(t, entry{name: "a", link: "b", kind: tar.TypeLink}), "cannot be unpacked"},
		"a file through a link":       {pack(t, entry{name: "a", link: "/tmp", kind: tar.TypeSymlink}, entry{name: "a/b", body: "x"}), "cannot be unpacked"},
		"a device":                    {pack(t, entry{name: "null", kind: tar.TypeChar}), "neither a file"},
		"a folder that is a file too": {pack(t, entry{name: "a/b", body: "x"}, entry{name: "a", body: "x"}), "something else"},
		"too many files":              {pack(t, many...), "more than 10 files"},
		"too deep":                    {pack(t, entry{name: strings.Repeat("d/", 20) + "f", body: "x"}), "more than 10 files"},
		"a bomb":                      {pack(t, entry{name: "a", body: strings.Repeat("\x00", 2<<20)}), "larger than"},
		"another checksum":            {good, "not what its checksum says"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, checksum := t.TempDir(), ""
			if name == "another checksum" {
				checksum = "SHA256:" + strings.Repeat("0", 64)
			}
			_, err := sources.Unpack(t.Context(), bytes.NewReader(c.raw), checksum, dir, small)
			if _, ok := errors.AsType[*sources.Error](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Unpack: %v, want words of %q", err, c.want)
			}
			if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
				t.Errorf("what is refused leaves %v, %v", left, err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sources.Unpack(ctx, bytes.NewReader(good), "", t.TempDir(), small); !errors.Is(err, context.Canceled) {
		t.Errorf("Unpack for one that is gone: %v, want Canceled", err)
	}
}

func TestLinkOutOfTheTreeIsNotFollowed(t *testing.T) {
	t.Parallel()
	raw := pack(t, entry{name: "passwd", link: "/etc/passwd", kind: tar.TypeSymlink}, entry{name: "a", body: "x"})
	tree, err := sources.Unpack(t.Context(), bytes.NewReader(raw), "", t.TempDir(), small)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tree.Close() }()
	if text, err := fs.ReadFile(tree, "passwd"); err == nil {
		t.Errorf("ReadFile through a link = %.20q, want an error", text)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dir := t.TempDir()
	s, err := sources.Open(sources.Config{Dir: dir, MaxBytes: 10, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(token); !errors.Is(err, sources.ErrEmpty) {
		t.Errorf("Get of nothing: %v, want ErrEmpty", err)
	}
	for _, text := range []string{"first", "second"} {
		if err := s.Put(token, strings.NewReader(text)); err != nil {
			t.Errorf("Put: %v", err)
		}
	}
	if err := s.Put(token, strings.NewReader("more than ten")); !errors.Is(err, sources.ErrTooLarge) {
		t.Errorf("Put of too much: %v, want ErrTooLarge", err)
	}
	if err := s.Put(token, iotest.TimeoutReader(strings.NewReader("x"))); err != nil {
		t.Log(err) // whatever it says, the one before stays
	}
	if err := s.Put("another", strings.NewReader("x")); !errors.Is(err, sources.ErrNotFound) {
		t.Errorf("Put elsewhere: %v, want ErrNotFound", err)
	}
	f, err := s.Get(token)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	if err := s.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(f); err != nil {
		t.Errorf("an open source is not read to its end after a sweep: %v", err)
	}
	_ = f.Close()
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("a sweep leaves %v, %v", left, err)
	}
	if _, err := s.Get(token); !errors.Is(err, sources.ErrNotFound) {
		t.Errorf("Get of what expired: %v, want ErrNotFound", err)
	}
}

func TestUploadsShareTheRoom(t *testing.T) {
	t.Parallel()
	s, err := sources.Open(sources.Config{Dir: t.TempDir(), MaxBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		token, err := s.Create()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(token, strings.NewReader("0123456789")); (err == nil) != (n < 4) || err != nil && !errors.Is(err, sources.ErrFull) {
			t.Errorf("Put %d: %v", n, err)
		}
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "tar") })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop?secret=s3cret", http.StatusFound)
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	reached := strings.TrimPrefix(srv.URL, "http://")
	_, port, _ := strings.Cut(reached, ":")
	for _, c := range []struct{ address, reach, want string }{
		{srv.URL + "/good", reached, ""},
		{srv.URL + "/good", "", "private address"},
		{"http://localhost:" + port + "/good", reached, ""},
		{"http://[::ffff:127.0.0.1]:" + port + "/good", "", "private address"},
		{"http://0.0.0.0:" + port + "/good", "", "private address"},
		{srv.URL + "/none?token=s3cret", reached, "404 Not Found"},
		{srv.URL + "/loop?token=s3cret", reached, "redirects more than"},
		{srv.URL + "/file", reached, "no http or https URL"},
		{"ftp://host/a", "", "no http or https URL"},
		{"http://user:s3cret@127.0.0.1:1/a?token=s3cret", "127.0.0.1:1", "cannot be fetched"},
	} {
		body, err := sources.Fetcher{Reach: []string{c.reach}}.Get(t.Context(), c.address)
		if err == nil {
			_ = body.Close()
		}
		if c.want == "" != (err == nil) || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("Get(%q) with %q open: %v, want words of %q", c.address, c.reach, err, c.want)
		}
	}
	if got := sources.Shown("https://user:s3cret@example.com/a.tgz?token=s3cret#x"); got != "https://example.com/a.tgz" {
		t.Errorf("Shown = %q", got)
	}
}
