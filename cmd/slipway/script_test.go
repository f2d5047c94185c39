package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"slipway/internal/testkit"
	"slipway/internal/testkit/dockerd"
	"slipway/internal/testkit/mirror"
	"slipway/internal/testkit/postgres"
)

// TestMain lets the test binary be the slipway command too.
func TestMain(m *testing.M) {
	testscript.Main(answers{postgres.Main{M: m}}, map[string]func(){"slipway": func() { os.Exit(runWatched()) }})
}

// TestCommandLine runs the scripts that need no server.
func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: scripts(t, "cli"), RequireExplicitExec: true, Setup: setHome,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode},
	})
}

// TestEmbedded runs the scripts that push to a server on the embedded engine, and
// then kills it in the middle of pushes. It is one server, since loading the
// builder takes longer than most of what the scripts do.
func TestEmbedded(t *testing.T) {
	needsBuilder(t)
	index, npm, goProxy, secret := testkit.ServePackages(t), mirror.NPM(t), mirror.GoProxy(t), rand.Text()
	args := []string{
		"--engine", "embedded", "--bundled-builder", testkit.Builder(t), "--build-reach", index.Addr,
		"--build-env", "PIP_INDEX_URL=" + index.URL, "--build-env", "A_SECRET=" + secret,
		"--build-env", "NPM_CONFIG_REGISTRY=" + npm.URL, "--build-reach", npm.Addr,
		"--build-env", "GOPROXY=" + goProxy, "--build-reach", strings.TrimPrefix(goProxy, "http://"),
	}
	program, data := buildProgram(t), t.TempDir()
	// Loading the builder takes ten times as long under the race detector.
	loaded := startServer(t, program, data, args)
	loaded.Await(t, "builder ready")
	loaded.Stop(t)
	srv := startServer(t, linkProgram(t), data, args)
	// The server is watched, its clients are not: they are over as soon as they begin.
	clients := map[string]string{"PATH": filepath.Dir(program)}
	t.Run("push", func(t *testing.T) { runScripts(t, srv, "push", clients) })
	t.Run("run", func(t *testing.T) {
		runScripts(t, srv, "run", clients)
		vars := herokuVars(t, srv)
		vars["PATH"] = clients["PATH"] + string(os.PathListSeparator) + vars["PATH"]
		runScripts(t, srv, "heroku", vars) // at the same time
	})
	// What is long from here on is what package managers do.
	srv.Stop(t)
	srv = startServer(t, program, data, args)
	t.Run("packages", func(t *testing.T) { runScripts(t, srv, "packages", clients) })
	// These look at all that the server keeps, so nothing else may happen.
	t.Run("alone", func(t *testing.T) { runScripts(t, srv, "alone", clients) })
	t.Run("kept", func(t *testing.T) {
		runScripts(t, srv, "kept", map[string]string{"SECRET": secret, "PATH": clients["PATH"]})
	})
	srv.Stop(t)
	t.Run("crash", func(t *testing.T) {
		crash(t, func() *testkit.Server { return startServer(t, program, data, args) })
	})
	t.Run("crash running", func(t *testing.T) {
		crashRunning(t, func() *testkit.Server { return startServer(t, program, data, args) })
	})
}

// TestSettings runs the scripts that need a server with other settings: state in
// PostgreSQL, TLS, and an account with few dyno hours.
func TestSettings(t *testing.T) {
	needsBuilder(t)
	args := []string{
		"--engine", "embedded", "--bundled-builder", testkit.Builder(t),
		"--database", postgres.Database(t), "--https", "127.0.0.1:0", "--dyno-hours", "5m", "--boot-timeout", "10s",
	}
	program := buildProgram(t)
	srv := startServer(t, program, t.TempDir(), args)
	_, port, err := net.SplitHostPort(srv.HTTPS)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("settings", func(t *testing.T) {
		runScripts(t, srv, "settings", map[string]string{"TLSPORT": port, "PATH": filepath.Dir(program)})
	})
	// Last, because it spends the hours of everybody.
	t.Run("quota", func(t *testing.T) { runScripts(t, srv, "quota", map[string]string{"PATH": filepath.Dir(program)}) })
}

// TestDockerEngine runs the scripts whose builds a Docker daemon does.
func TestDockerEngine(t *testing.T) {
	needsBuilder(t)
	daemon := dockerd.Start(t)
	args := []string{"--engine", "docker", "--docker-host", daemon.Host, "--bundled-builder", testkit.Builder(t)}
	program := buildProgram(t)
	srv := startServer(t, program, t.TempDir(), args)
	vars := map[string]string{"DOCKER": daemon.Host, "PATH": filepath.Dir(program)}
	t.Run("docker", func(t *testing.T) { runScripts(t, srv, "docker", vars) })
	t.Run("run", func(t *testing.T) { runScripts(t, srv, "run", vars) })
}

func needsBuilder(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the bundled builder and root: not with -short")
	}
}

// startServer starts a server whose log is shown if the test fails.
func startServer(t *testing.T, program, data string, args []string) *testkit.Server {
	t.Helper()
	srv := testkit.StartServer(t, program, data, args...)
	t.Cleanup(func() {
		srv.Stop(t)
		checkAnswers(t, srv.Log())
		if t.Failed() {
			t.Logf("the server's log:\n%s", srv.Log())
		}
	})
	return srv
}

// runScripts runs the scripts of a folder, at once. Each pushes to apps of its
// own, whose names begin with $APP.
func runScripts(t *testing.T, srv *testkit.Server, folder string, vars map[string]string) {
	t.Helper()
	leftovers := func(ts *testscript.TestScript) []string {
		if folder == "push" || folder == "packages" {
			return testkit.RepositoryLeftovers(srv.Data, ts.Getenv("APP")+"*")
		}
		return testkit.Leftovers(srv.Data)
	}
	testscript.Run(t, testscript.Params{
		Dir: scripts(t, folder), RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("APPS", filepath.Join(testkit.Root(t), "testdata", "apps"))
			env.Setenv("DATA", srv.Data)
			for name, value := range vars {
				if name == "PATH" {
					value += string(os.PathListSeparator) + env.Getenv("PATH")
				}
				env.Setenv(name, value)
			}
			return signIn(env, srv)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answer": func(ts *testscript.TestScript, _ bool, args []string) {
				answerQuestions(ts, args, slices.Collect(maps.Keys(vars)))
			},
			"exitcode":  exitCode,
			"interrupt": interrupt,
			"until":     until,
			"runimage":  func(ts *testscript.TestScript, _ bool, args []string) { runImage(t, ts, srv.Token, args) },
			"left":      func(ts *testscript.TestScript, _ bool, _ []string) { nothingLeft(ts, leftovers) },
			"nolog": func(ts *testscript.TestScript, _ bool, args []string) {
				if strings.Contains(srv.Log(), args[0]) {
					ts.Fatalf("the server's log has %q", args[0])
				}
			},
		},
	})
}

func scripts(t *testing.T, folder string) string {
	t.Helper()
	return filepath.Join(testkit.Root(t), "testdata", "script", folder)
}

// linkProgram makes a file named slipway that runs this test binary as the
// command.
func linkProgram(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "slipway")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// buildProgram builds the test binary again as "make build" builds the command.
// The race detector makes it several times slower; scripts that it has watched on
// the embedded engine need not be watched again.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "slipway")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	return program
}

func setHome(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	env.Setenv("GIT_TERMINAL_PROMPT", "0")
	env.Setenv("LC_ALL", "C.UTF-8")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	config := "[user]\n\tname = Ann\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"
	return os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600)
}

// attack is a Python program that connects to the addresses it reads.
const attack = `
import socket, sys
tried = 0
for line in sys.stdin:
    host, port = line.split()
    tried += 1
    try:
        socket.create_connection((host, int(port)), 2)
        print("reached", host, port)
    except OSError:
        pass
print("tried", tried)
`

// signIn gives a script the server's addresses, a token, an SSH key that is
// allowed in and one that is not.
func signIn(env *testscript.Env, srv *testkit.Server) error {
	if err := setHome(env); err != nil {
		return err
	}
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.TrimPrefix(filepath.Base(env.WorkDir), "script-"), "-")
	env.Setenv("APP", "t-"+name)
	env.Setenv("HOST", srv.HTTP)
	env.Setenv("TOKEN", srv.Token)
	env.Setenv("SLIPWAY_URL", "http://"+srv.HTTP)
	env.Setenv("SLIPWAY_TOKEN", srv.Token)
	_, port, err := net.SplitHostPort(srv.HTTP)
	if err != nil {
		return err
	}
	env.Setenv("WEB", "http://"+env.Getenv("APP")+".localhost:"+port+"/")
	env.Setenv("TLSWEB", "https://"+env.Getenv("APP")+".localhost:"+port+"/")
	env.Setenv("OTHER", "http://"+env.Getenv("APP")+"-other.localhost:"+port+"/")
	env.Setenv("ATTACK", attack)
	env.Setenv("HTTP", "http://any:"+srv.Token+"@"+srv.HTTP)
	env.Setenv("SSH", "ssh://git@"+srv.SSH)
	keys := filepath.Join(env.WorkDir, "home", ".ssh")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return err
	}
	for _, key := range []string{"known", "unknown"} {
		//nolint:noctx // it takes milliseconds
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@home", "-f", filepath.Join(keys, key)).CombinedOutput(); err != nil {
			return &exec.Error{Name: "ssh-keygen: " + string(out), Err: err}
		}
	}
	env.Setenv("KEYS", keys)
	env.Setenv("GIT_SSH_COMMAND", sshCommand(keys, "known"))
	env.Setenv("SSH_UNKNOWN", sshCommand(keys, "unknown"))
	return nil
}

func sshCommand(keys, key string) string {
	return "ssh -F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -o UserKnownHostsFile=" +
		filepath.Join(keys, "known_hosts") + " -i " + filepath.Join(keys, key)
}

// interrupt PATTERN COMMAND… runs a command, sends it SIGINT as soon as its
// output matches the pattern, and fails unless it then ends by itself, badly,
// within five seconds.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: interrupt PATTERN COMMAND...")
	}
	pattern := regexp.MustCompile(args[0])
	cmd := exec.Command(args[1], args[2:]...) //nolint:noctx // it is ended below
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environ(ts)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a terminal does
	out, in, err := os.Pipe()
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = in, in
	ts.Check(cmd.Start())
	ts.Check(in.Close())
	found := false
	var seen strings.Builder
	lines := bufio.NewReader(out)
	for !found {
		line, err := lines.ReadString('\n')
		seen.WriteString(line)
		if err != nil {
			ts.Fatalf("the output has no %q:\n%s", args[0], seen.String())
		}
		found = pattern.MatchString(line)
	}
	ts.Check(syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	done := make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, lines) // until it has closed its output
		done <- cmd.Wait()
	}()
	select {
	case err := <-done:
		if err == nil {
			ts.Fatalf("%s went on in spite of SIGINT", args[1])
		}
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-done
		ts.Fatalf("%s did not end within 5 s of SIGINT", args[1])
	}
}

// untilTimeout bounds the wait for what a script expects to become true.
const untilTimeout = time.Minute

// until PATTERN COMMAND… runs a command again and again until its standard
// output matches the pattern.
func until(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND...")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	late := time.NewTimer(untilTimeout)
	defer late.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if pattern.MatchString(out) {
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			ts.Fatalf("%s: no %q in its output after %s (%v):\n%s", strings.Join(args[1:], " "), args[0], untilTimeout, err, out)
		}
	}
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_NOSYSTEM", "GIT_TERMINAL_PROMPT", "GIT_SSH_COMMAND", "LC_ALL", "TMPDIR"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// runimage REF NAME runs an image's default process and puts its address into
// the variable NAME.
func runImage(t *testing.T, ts *testscript.TestScript, token string, args []string) {
	t.Helper()
	if len(args) != 2 {
		ts.Fatalf("usage: runimage REF VARIABLE")
	}
	ts.Setenv(args[1], testkit.RunImage(t, args[0], token))
}

// nothingLeft fails unless within two seconds nothing is left behind.
func nothingLeft(ts *testscript.TestScript, leftovers func(*testscript.TestScript) []string) {
	deadline := time.Now().Add(2 * time.Second)
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		rest := leftovers(ts)
		if len(rest) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("left behind:\n%s", strings.Join(rest, "\n"))
		}
		<-retry.C
	}
}

// exitCode WANT COMMAND… runs a command and compares its exit code.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exitcode WANT COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("%s exits with %d, want %s", strings.Join(args[1:], " "), got, want)
	}
}
