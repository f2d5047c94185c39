package cli_test

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/cli"
)

// repository makes the test's directory a new repository.
func repository(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	git(t, "init", "-q", "-b", "main")
}

func git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// startHere starts a server that knows its own address.
func startHere(t *testing.T) *apitest.Server {
	t.Helper()
	var srv *apitest.Server
	srv = apitest.Start(t, func(cfg *api.Config) {
		cfg.GitURL = func(app string) string { return srv.URL + "/" + app + ".git" }
	})
	return srv
}

func TestAppComesFromTheGitRemotes(t *testing.T) {
	srv := startHere(t)
	here, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		remotes string // NAME=ADDRESS
		config  string // a remote that is preferred
		args    string
		app     string // $SLIPWAY_APP
		want    string // of stdout and stderr
		code    int
	}{
		{name: "none", args: "info --shell", want: "which app? give -a APP", code: 2},
		{name: "slipway's", remotes: "slipway=" + srv.URL + "/shop.git", args: "info --shell", want: "/shop.git"},
		{name: "heroku's name, over TLS", remotes: "heroku=https://" + here.Host + "/shop.git", args: "info --shell", want: "/shop.git"},
		{name: "over SSH, by another name", remotes: "live=ssh://git@127.0.0.1:2222/shop", args: "info --shell", want: "/shop.git"},
		{name: "a server of several names", remotes: "slipway=https://apps.example.com/shop.git", args: "info --shell", want: "/shop.git"},
		{name: "others' remotes", remotes: "origin=git@github.com:ann/shed.git heroku=https://git.heroku.com/shed.git", args: "info --shell", want: "which app?", code: 2},
		{name: "beside others' remotes", remotes: "origin=https://example.com/ann/shed.git heroku=https://git.heroku.com/shed.git slipway=" + srv.URL + "/bare.git", args: "info --shell", want: "/bare.git"},
		{name: "another server on this machine", remotes: "origin=http://127.0.0.1:1/shed.git", args: "info --shell", want: "which app?", code: 2},
		{name: "the same app twice", remotes: "a=" + srv.URL + "/shop.git b=ssh://git@127.0.0.1/shop", args: "info --shell", want: "/shop.git"},
		{name: "several", remotes: "live=" + srv.URL + "/shop.git staging=" + srv.URL + "/bare.git", args: "info --shell", want: "of shop (live), bare (staging)", code: 2},
		{name: "several, one preferred", remotes: "live=" + srv.URL + "/shop.git staging=" + srv.URL + "/bare.git", config: "live", args: "info --shell", want: "/shop.git"},
		{name: "several, one chosen", remotes: "live=" + srv.URL + "/shop.git staging=" + srv.URL + "/bare.git", args: "info --shell -r staging", want: "/bare.git"},
		{name: "a remote that is not there", remotes: "live=" + srv.URL + "/shop.git", args: "info -r staging", want: `there is no git remote "staging" of an app: there are shop (live)`, code: 2},
		{name: "a remote where there is none", args: "info -r staging", want: `there is no git remote "staging": slipway git:remote -a APP -r staging adds it`, code: 2},
		{name: "the environment", remotes: "slipway=" + srv.URL + "/shop.git", app: "bare", args: "info --shell", want: "/bare.git"},
		{name: "a flag wins", remotes: "slipway=" + srv.URL + "/shop.git", app: "shop", args: "info --shell -a bare", want: "/bare.git"},
	} {
		t.Run(c.name, func(t *testing.T) {
			repository(t)
			for remote := range strings.FieldsSeq(c.remotes) {
				name, address, _ := strings.Cut(remote, "=")
				git(t, "remote", "add", name, address)
			}
			if c.config != "" {
				git(t, "config", "heroku.remote", c.config)
			}
			got := runWith(t.Context(), t, srv, cli.Config{App: c.app}, strings.Fields(c.args)...)
			if got.code != c.code || !strings.Contains(got.stdout+got.stderr, c.want) {
				t.Errorf("slipway %s = %+v, want %d and %q", c.args, got, c.code, c.want)
			}
		})
	}
}

func TestRemotesComeAndGoWithTheirApp(t *testing.T) {
	srv := startHere(t)
	repository(t)
	at := func(app string) string { return srv.URL + "/" + app + ".git" }
	check(t, srv,
		step{args: "create one", stdout: "Creating app... done, ⬢ one\nhttp://one.host* | " + at("one") + "\n"},
		step{args: "create two", stdout: "*\n*\n", stderr: " ▸    There is a git remote slipway already, and it stays. *slipway git:remote -a two\n"},
		step{args: "create two --remote staging", stdout: "Creating app... !\n", stderr: " !     *taken*\n", code: 1},
		step{args: "git:remote -a two -r staging", stdout: "set git remote staging to " + at("two") + "\n"},
		step{args: "create three -n", stdout: "*\n*\n"},
		step{args: "create -a four --remote four", stdout: "Creating app... done, ⬢ four\n*\n"},
		step{args: "git:remote -a shed", stderr: " !     *\n", code: 1},
		step{args: "git:remote", stderr: " !     which app? give -a APP\n", code: 2},
	)
	if got := git(t, "remote"); got != "four\nslipway\nstaging" {
		t.Errorf("the git remotes are %q", got)
	}
	// The question is answered with the name, or nothing happens.
	got := runWith(t.Context(), t, srv, cli.Config{Stdin: strings.NewReader("two\n")}, "apps:destroy", "-a", "one")
	if got.code != 1 || !strings.Contains(got.stderr, "To proceed, type one") || !strings.Contains(got.stderr, `"two" is not "one"`) {
		t.Errorf("destroy with the wrong name = %+v", got)
	}
	got = runWith(t.Context(), t, srv, cli.Config{Stdin: strings.NewReader("one\n")}, "apps:destroy", "-a", "one")
	if got.code != 0 || got.stdout != "Destroying ⬢ one... done\n" {
		t.Errorf("destroy = %+v", got)
	}
	check(t, srv, step{args: "destroy --confirm two -r staging", stdout: "Destroying ⬢ two... done\n"})
	if got := git(t, "remote"); got != "four" {
		t.Errorf("the git remotes of apps that are gone: %q", got)
	}
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CEILING_DIRECTORIES", "/")
	check(t, srv,
		step{args: "create five", stdout: "*\n*\n"},
		step{args: "destroy five --confirm five", stdout: "Destroying ⬢ five... done\n"},
	)
}
