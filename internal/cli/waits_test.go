package cli_test

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
	"slipway/internal/dyno"
)

func TestPsWait(t *testing.T) {
	srv := apitest.Start(t)
	at := func(name string, state dyno.State, release int) dyno.Dyno {
		kind, _, _ := strings.Cut(name, ".")
		return dyno.Dyno{ID: dynoID, App: "shop", Name: name, Type: kind, State: state, Release: release, Since: time.Now()}
	}
	check(t, srv,
		step{args: "ps:wait -a bare", stderr: " ▸    ⬢ bare has no releases: git push makes the first.\n"},
		step{args: "ps:wait -a shop"}, // no dynos: nothing to wait for
	)
	srv.Dynos.Add(at("web.1", dyno.Up, 1), at("web.2", dyno.Idle, 1), at("run.1", dyno.Starting, 1))
	check(t, srv,
		step{args: "ps:wait -a shop"},
		step{args: "ps:wait -w 0 -a shop", stderr: " !     --wait-interval 0: it is 1 second at least\n", code: 2},
		step{args: "ps:wait --type web --with-run -a shop", stderr: " !     --type and --with-run exclude each other: give one of them\n", code: 2},
	)
	// What is not there yet is waited for, until the person has enough.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	got := runWith(ctx, t, srv, cli.Config{}, "ps:wait", "--with-run", "-a", "shop")
	if got.code != 1 || got.stdout != "Waiting for every dyno to be running v1... !\n" || !strings.Contains(got.stderr, "stopped with 2 of 3 dynos on v1") {
		t.Errorf("ps:wait = %+v", got)
	}
	srv.Dynos.Add(at("web.3", dyno.Starting, 1))
	done := make(chan result, 1)
	go func() { done <- runWith(t.Context(), t, srv, cli.Config{}, "ps:wait", "-t", "web", "-a", "shop") }()
	time.AfterFunc(200*time.Millisecond, func() { srv.Dynos.SetState("web.3", dyno.Up) })
	if got := <-done; got.code != 0 || got.stdout != "Waiting for every dyno to be running v1... done, 3 / 3\n" {
		t.Errorf("ps:wait = %+v", got)
	}
}

func TestPsType(t *testing.T) {
	srv := apitest.Start(t)
	table := "=== Process Types\n\nType     Size      Qty\n─*\nrelease  *  0\nweb *1\nworker *0\n\n=== Dyno Totals\n\nType *Total\n─*\n* 1\n"
	check(t, srv,
		step{args: "ps:type -a shop", stdout: table},
		step{args: "ps:type standard -a shop", stdout: table},
		step{args: "ps:resize web=standard -a shop", stdout: table},
		step{args: "ps:type web=performance-l -a shop", stderr: " !     there are no dynos of size \"performance-l\": *\n", code: 2},
		step{args: "ps:type clock=standard -a shop", stderr: " !     couldn't find the process type \"clock\": *\n", code: 1},
		step{args: "ps:type a b -a shop", stderr: " !     write TYPE=SIZE *\n", code: 2},
		step{args: "ps:type -a bare", stderr: " !     No process types on ⬢ bare. *\n", code: 1},
	)
}

func TestKeysAreFoundAndRemovedByComment(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA8gKzHsUzxTSBQHCgM2vfNJHsYwVbNPxOVhVXjm6DTj ann@home\n"
	srv := apitest.Start(t)
	home := t.TempDir()
	add := func(stdin string) result {
		return runWith(t.Context(), t, srv, cli.Config{Home: home, Stdin: strings.NewReader(stdin)}, "keys:add")
	}
	if got := add("y\n"); got.code != 2 || !strings.Contains(got.stderr, "usage: slipway keys:add FILE") {
		t.Errorf("keys:add without a key = %+v", got)
	}
	path := filepath.Join(home, ".ssh", "id_ed25519.pub")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := add("n\n"); got.code != 1 || got.stdout != "" {
		t.Errorf("keys:add that is not agreed to = %+v", got)
	}
	if got := add("y\n"); got.code != 0 || got.stdout != "Uploading "+path+" SSH key... done\n" {
		t.Errorf("keys:add = %+v", got)
	}
	check(t, srv,
		step{args: "keys", stdout: "SHA256:* ann@home\n"},
		step{args: "keys --long", stdout: strings.TrimSuffix(key, " ann@home\n") + "*\n"},
		step{args: "keys:remove bob@home", stdout: "Removing bob@home SSH key... !\n", stderr: " !     SSH key \"bob@home\" not found: *(ann@home)\n", code: 1},
		step{args: "keys:remove ann@home", stdout: "Removing ann@home SSH key... done\n"},
		step{args: "keys", stdout: "You have no SSH keys. *\n"},
		step{args: "keys:clear", stdout: "Removing all SSH keys... done\n"},
	)
}

// TestTerminalsHaveColoursAndSomethingThatTurns runs verbs on a real terminal.
func TestTerminalsHaveColoursAndSomethingThatTurns(t *testing.T) {
	screen, tty := newTerminal(t)
	srv := apitest.Start(t)
	lines := bufio.NewReader(screen)
	show := func(cfg cli.Config, args ...string) string {
		t.Helper()
		cfg.Stdin, cfg.Stdout, cfg.Stderr, cfg.URL, cfg.Token, cfg.ConfigDir = tty, tty, tty, srv.URL, apitest.Token, t.TempDir()
		if code := cli.Run(t.Context(), cli.New(cfg), args); code != 0 {
			t.Fatalf("slipway %q exits with %d", args, code)
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimRight(line, "\r\n")
	}
	const scaled = "Scaling dynos... done, now running \x1b[32mweb\x1b[0m at 2:"
	if got := show(cli.Config{}, "ps:scale", "web=2", "-a", "shop"); !strings.HasPrefix(got, "\rScaling dynos... ⣾") || !strings.Contains(got, "\r\x1b[2K"+scaled) {
		t.Errorf("ps:scale shows %q, want what turns, and then %q", got, scaled)
	}
	if got := show(cli.Config{NoColor: true}, "ps:scale", "web=1", "-a", "shop"); !strings.Contains(got, "running web at 1:") {
		t.Errorf("ps:scale with NO_COLOR shows %q", got)
	}
	if got := show(cli.Config{}, "--no-color", "config:get", "A", "-a", "shop"); strings.Contains(got, "\x1b") {
		t.Errorf("config:get --no-color shows %q", got)
	}
	if got := show(cli.Config{Term: "dumb"}, "ps:scale", "web=1", "-a", "shop"); strings.ContainsAny(got, "\x1b⣾") {
		t.Errorf("ps:scale on a dumb terminal shows %q", got)
	}
}
