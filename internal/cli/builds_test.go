package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
	"slipway/internal/state"
)

func TestBuildVerbs(t *testing.T) {
	srv := apitest.Start(t)
	check(t, srv,
		step{args: "builds -a shop", stdout: "⬢ shop has no builds. git push makes the first.\n"},
		step{args: "builds:info -a shop", stderr: " !     ⬢ shop has no builds: git push makes the first\n", code: 1},
		step{args: "builds:cancel -a shop", stderr: " !     ⬢ shop has no build that goes on: there is nothing to cancel\n", code: 1},
		step{args: "builds -n 0 -a shop", stderr: " !     *\n", code: 2},
	)
	ann := state.Actor{User: "ann"}
	pushed, out, err := srv.Building.Begin(t.Context(), ann, state.Build{App: "shop", Commit: strings.Repeat("ab", 20), Ref: "refs/heads/main", Source: "git"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(out, "-----> Building")
	row := pushed.ID + "  pending  abababab  ann@localhost  TIME\n"
	check(t, srv,
		step{args: "builds -a shop", stdout: "=== ⬢ shop Builds\n\n" + row},
		step{args: "builds:info " + pushed.ID[:8] + " -a shop", stdout: "=== Build " + pushed.ID + `

Status:  pending
By:      ann@localhost
When:    TIME
Version: abababababababababababababababababababab
Source:  http://host/shop.git
Stack:   slipway-debian13
`},
		step{args: "builds:info zzz -a shop", stderr: " !     0 builds of ⬢ shop *\n", code: 1},
		step{args: "builds:cancel -a shop", stdout: "Stopping build " + pushed.ID + "... done\n"},
		step{args: "builds:cancel -a shop", stderr: " !     ⬢ shop has no build*\n", code: 1},
		step{args: "builds:output -a shop", stdout: "-----> Building\n"},
		step{args: "builds:cache:purge -a shop", stdout: "Purging the build cache of ⬢ shop... done\n"},
	)
	if got := run(t, srv, "builds:info", "-a", "shop", "--json"); !strings.Contains(got.stdout, `"status": "failed"`) {
		t.Errorf("slipway builds:info --json prints %s%s", got.stdout, got.stderr)
	}
}

// cancelling cancels the build that goes on when something is printed.
type cancelling struct {
	strings.Builder
	cancel func()
}

func (w *cancelling) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "Building") {
		w.cancel()
	}
	return w.Builder.Write(p)
}

func TestBuildThatGoesOnIsFollowed(t *testing.T) {
	srv := apitest.Start(t)
	b, out, err := srv.Building.Begin(t.Context(), state.Actor{User: "ann"}, state.Build{App: "shop", Source: "git"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(out, "-----> Building")
	var stderr strings.Builder
	shown := &cancelling{cancel: func() {
		fmt.Fprintln(out, " !     Push rejected")
		if err := srv.Building.Finish(t.Context(), b.ID, state.BuildFailed, "", 0); err != nil {
			t.Error(err)
		}
	}}
	root := cli.New(cli.Config{URL: srv.URL, Token: apitest.Token, Stdout: shown, Stderr: &stderr, ConfigDir: t.TempDir()})
	code := cli.Run(t.Context(), root, []string{"builds:output", "-a", "shop"})
	if code != 1 || shown.String() != "-----> Building\n !     Push rejected\n" || !strings.Contains(stderr.String(), "has failed") {
		t.Errorf("slipway builds:output exits with %d and prints\n%s%s", code, shown.String(), stderr.String())
	}
}

// folder makes files for a build, some of which git ignores, and returns it.
func folder(t *testing.T, repository bool) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"index.html": "hi", "bin/run": "x", ".gitignore": "secret\n", "secret": "s3cret", ".git/config": ""} {
		if name == ".git/config" && repository {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("index.html", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if repository {
		if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", dir).CombinedOutput(); err != nil {
			t.Fatalf("git init: %v\n%s", err, out)
		}
	}
	return dir
}

func TestBuildsCreate(t *testing.T) {
	srv := apitest.Start(t)
	plain, repository := folder(t, false), folder(t, true)
	for name, c := range map[string]struct{ args, want string }{
		"a folder in a repository": {"--source-dir " + repository, ".gitignore bin/run index.html link"},
		"all of one":               {"--include-vcs-ignore --source-dir " + repository, ".gitignore bin/run index.html link secret"},
		"a folder in none":         {"--source-dir " + plain, ".gitignore bin/run index.html link secret"},
	} {
		uploaded := upload(t, srv, c.args)
		var names []string
		unzip, err := gzip.NewReader(uploaded)
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(unzip); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Uid != 0 || h.Uname != "" || (h.Name == "link") != (h.Linkname == "index.html") {
				t.Errorf("%s: %s has the owner %d %q and links to %q", name, h.Name, h.Uid, h.Uname, h.Linkname)
			}
			names = append(names, h.Name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("of %s %s is packed, want %s", name, got, c.want)
		}
	}
	tarball := filepath.Join(t.TempDir(), "app.tgz")
	if err := os.WriteFile(tarball, []byte("tarball"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, srv,
		step{args: "builds:create --source-tar " + tarball + " --version v9 -a shop", stdout: "Uploading source... done\n-----> Built 7 bytes\n"},
		step{
			args: "builds:create --source-url https://example.com/a.tgz -a shop", code: 1,
			stdout: " !     the source cannot be fetched: this test has no network\n", stderr: " !     the build * has failed: its output says why\n",
		},
		step{args: "builds:create --source-url x --source-tar y -a shop", stderr: " !     *exclude each other*\n", code: 2},
		step{args: "builds:create --source-dir " + tarball + " -a shop", stdout: "Uploading source... !\n", stderr: " !     * is no folder: *\n", code: 2},
		step{args: "builds:create --source-dir " + t.TempDir() + " -a shop", stdout: "Uploading source... !\n", stderr: " !     there are no files *\n", code: 1},
		step{args: "builds:create --source-tar /none -a shop", stdout: "Uploading source... !\n", stderr: " !     open the tarball: *\n", code: 1},
	)
}

// upload runs builds:create and returns what it has sent.
func upload(t *testing.T, srv *apitest.Server, args string) io.Reader {
	t.Helper()
	if got := run(t, srv, strings.Fields("builds:create -a shop "+args)...); got.code != 0 {
		t.Fatalf("slipway builds:create %s exits with %d and prints %s%s", args, got.code, got.stdout, got.stderr)
	}
	return bytes.NewReader(srv.Building.Built())
}
