package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"slipway/internal/local"
)

// app makes a folder with an app's files.
func app(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A screen is what was printed. It can be waited for.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	more  chan struct{}
	after func(text string) error // what a write fails with
}

func newScreen() *screen { return &screen{more: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	select {
	case s.more <- struct{}{}:
	default:
	}
	if s.after != nil {
		if err := s.after(s.text.String()); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

var clock = regexp.MustCompile(`(?m)^\d{1,2}:\d\d:\d\d [AP]M `)

// shown is what was printed, with each time as TIME.
func (s *screen) shown() string { return clock.ReplaceAllString(s.String(), "TIME ") }

func (s *screen) await(t *testing.T, pattern string) []string {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(s.String()); m != nil {
			return m
		}
		select {
		case <-s.more:
		case <-late:
			t.Fatalf("nothing printed matches %q:\n%s", pattern, s.String())
		}
	}
}

var environ = []string{"PATH=" + os.Getenv("PATH"), "PORT=7000", "HOME=/h"}

func TestStart(t *testing.T) {
	t.Parallel()
	const procfile = "web: echo $PORT $FOREMAN_WORKER_NAME; touch up; read never\n" +
		"release: echo never\n" +
		"worker: echo $PORT $A; while [ ! -e up ]; do sleep 0.01; done; exit 3\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		cfg   local.Config
		code  int
		out   []string // lines, in any order
		err   string
	}{
		{
			"runs all but release until one ends",
			map[string]string{"Procfile": procfile, ".env": "A=b\n"},
			local.Config{Environ: environ[:1]},
			3,
			[]string{
				"[OKAY] Loaded ENV .env File as KEY=VALUE Format", "TIME web.1    |  5006 web.1", "TIME worker.1 |  5106 b",
				"[DONE] Killing all processes with signal SIGTERM", "TIME web.1    Exited with exit code SIGTERM", "TIME worker.1 Exited with exit code 3",
			},
			"",
		},
		{
			"takes the port of the environment",
			map[string]string{"Procfile": "web: echo $PORT $HOME"},
			local.Config{},
			0,
			[]string{"TIME web.1 |  7000 /h", "[DONE] Killing all processes with signal SIGTERM", "TIME web.1 Exited Successfully"},
			"",
		},
		{
			"takes the port of the env file",
			map[string]string{"Procfile": "web: echo $PORT $HOME", ".env": `{"port": 8000, "home": "/e"}`},
			local.Config{},
			0,
			[]string{"[OKAY] Loaded ENV .env File as JSON Format", "TIME web.1 |  8000 /e", "*", "*"},
			"",
		},
		{
			"takes the port of the flag",
			map[string]string{"Procfile": "web: echo $PORT", ".env": "PORT=8000"},
			local.Config{Port: "9000"},
			0,
			[]string{"*", "TIME web.1 |  9000", "*", "*"},
			"",
		},
		{
			"reads other files",
			map[string]string{"P": "web: echo $A$B", "1": "A=1\nB=1", "2": "B=2"},
			local.Config{Procfile: "P", EnvFiles: []string{"1", "2", "3", "."}},
			0,
			[]string{
				"[OKAY] Loaded ENV 1 File as KEY=VALUE Format", "[OKAY] Loaded ENV 2 File as KEY=VALUE Format", `[WARN] The env file "3" does not exist, ignoring it`,
				`[WARN] The specified location for the env file, ".", is not a file, ignoring it`, "TIME web.1 |  12", "*", "*",
			},
			"",
		},
		{
			"runs several of a type",
			map[string]string{"Procfile": "web: exit 9\nworker: echo $PORT; touch $PORT; while [ ! -e 7100 ] || [ ! -e 7101 ]; do sleep 0.01; done"},
			local.Config{Types: []string{"none,worker=2", "web=0"}},
			0,
			[]string{
				"[WARN] Required Key 'none' Does Not Exist in Procfile Definition", "TIME worker.1 |  7100", "TIME worker.2 |  7101",
				"[DONE] Killing all processes with signal SIGTERM", "TIME worker.1 Exited *", "TIME worker.2 Exited *",
			},
			"",
		},
		{
			"runs release where it is asked for",
			map[string]string{"Procfile": "release: echo $PORT"},
			local.Config{Types: []string{"release"}},
			0,
			[]string{"TIME release.1 |  7000", "*", "*"},
			"",
		},
		{
			"splits long lines and drops blank ones",
			map[string]string{"Procfile": `web: printf '\n \n%0501d\r\nno end' 1 >&2`},
			local.Config{},
			0,
			[]string{"TIME web.1 |  " + strings.Repeat("0", 500), "TIME web.1 | >  1", "TIME web.1 |  no end", "*", "*"},
			"",
		},
		{
			"runs a command without a Procfile", nil,
			local.Config{StartCommand: "echo $PORT; read x; echo $x >&2; exit 4", Stdin: strings.NewReader("in\n")},
			4,
			[]string{"7000", "in"},
			"",
		},
		{
			"prefers the Procfile to a command",
			map[string]string{"Procfile": "web: echo yes"},
			local.Config{StartCommand: "echo no"},
			0,
			[]string{`[WARN] The specified start command, "echo no", is being ignored.`, "TIME web.1 |  yes", "*", "*"},
			"",
		},
		{
			"ends what a process leaves behind",
			map[string]string{"Procfile": "web: sleep 1000 & echo started"},
			local.Config{},
			0,
			[]string{"TIME web.1 |  started", "*", "TIME web.1 Exited Successfully"},
			"",
		},
		{"wants a Procfile", map[string]string{"package.json": "{}"}, local.Config{}, 1, nil, "no Procfile found"},
		{"names the line", map[string]string{"Procfile": "web: x\nworker\n"}, local.Config{}, 1, nil, `Procfile line 2 parse error: "worker"`},
		{"wants process types", map[string]string{"Procfile": "# none\n"}, local.Config{}, 1, nil, "Procfile declares no process types"},
		{"names the line of an env file", map[string]string{"Procfile": "web: x", ".env": "A='"}, local.Config{}, 1, nil, ".env line 1: the quote is not closed"},
		{"refuses privileged ports", map[string]string{"Procfile": "web: x"}, local.Config{Port: "80"}, 1, nil, "--port is no port"},
		{"refuses what is no port", map[string]string{"Procfile": "web: x", ".env": "PORT=hunter2"}, local.Config{}, 1, []string{"*"}, "PORT of the env file is no port"},
		{"refuses ports beyond the last", map[string]string{"Procfile": "a: x\nb: x"}, local.Config{Port: "65500"}, 1, nil, "b.1 would get port 65600"},
		{"refuses what is no number", map[string]string{"Procfile": "web: x"}, local.Config{Types: []string{"web=many"}}, 1, nil, `"web=many" does not say how many`},
		{"refuses too many", map[string]string{"Procfile": "web: x"}, local.Config{Types: []string{"web=101"}}, 1, nil, `"web=101" does not say how many`},
		{"refuses to run nothing", map[string]string{"Procfile": "web: x\nb: x"}, local.Config{Types: []string{"c"}}, 1, []string{"*"}, "nothing to run: the Procfile has web, b"},
		{"refuses files that are too long", map[string]string{"Procfile": "web: x", ".env": strings.Repeat("#", 1<<20+1)}, local.Config{}, 1, nil, "is longer than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := newScreen()
			cfg := c.cfg
			cfg.Dir, cfg.Stdout, cfg.Stderr = app(t, c.files), out, out
			if cfg.Environ == nil {
				cfg.Environ = environ
			}
			code, err := local.Start(t.Context(), cfg)
			if code != c.code || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("Start = %d, %v, want %d, %q", code, err, c.code, c.err)
			}
			if got := out.shown(); !sameLines(got, c.out) {
				t.Errorf("Start prints\n%s\nwant, in any order,\n%s", got, strings.Join(c.out, "\n"))
			}
		})
	}
}

// sameLines tells whether a text has the lines, in which * stands for anything.
func sameLines(text string, want []string) bool {
	var got []string
	if text != "" {
		got = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	}
	if len(got) != len(want) {
		return false
	}
	for _, line := range want {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(line), `\*`, ".*") + "$")
		if line != "*" && !pattern.MatchString(strings.Join(got, "\n")) {
			found := false
			for _, g := range got {
				found = found || pattern.MatchString(g)
			}
			if !found {
				return false
			}
		}
	}
	return true
}

// pids reads the process IDs that a text ends with.
func pids(t *testing.T, words ...string) []int {
	t.Helper()
	var all []int
	for _, word := range words {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// expectGone fails if a process still runs. One that has ended may wait for its
// new parent.
func expectGone(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			t.Errorf("process %d is left behind: %s", pid, stat)
		}
	}
}

func TestStartEnds(t *testing.T) {
	t.Parallel()
	const patient = "web: sleep 1000 & echo pids $$ $! .; wait\n"
	const stubborn = "web: trap '' TERM; sh -c 'sleep 1000; sleep 1000' & echo pids $$ $! .; wait; while :; do sleep 1000; done\n"
	for _, c := range []struct {
		name     string
		procfile string
		grace    time.Duration
		end      func(cancel func(), signals chan<- os.Signal)
		code     int
		out      string
	}{
		{"with the context", patient, time.Hour, func(cancel func(), _ chan<- os.Signal) { cancel() }, 0, "exit code SIGTERM"},
		{"at Ctrl-C", patient, time.Hour, func(_ func(), s chan<- os.Signal) { s <- syscall.SIGINT }, 0, "exit code SIGTERM"},
		{"at SIGTERM", patient, time.Hour, func(_ func(), s chan<- os.Signal) { s <- syscall.SIGTERM }, 143, "exit code SIGTERM"},
		{"after a while", stubborn, 100 * time.Millisecond, func(_ func(), s chan<- os.Signal) { s <- syscall.SIGINT }, 0, "exit code SIGKILL"},
		{"at a second Ctrl-C", stubborn, time.Hour, func(_ func(), s chan<- os.Signal) { s <- syscall.SIGINT; s <- syscall.SIGINT }, 0, "exit code SIGKILL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := newScreen()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			signals, code := make(chan os.Signal), make(chan int, 1)
			cfg := local.Config{
				Dir: app(t, map[string]string{"Procfile": c.procfile}), Environ: environ, Stdout: out, Stderr: out, Signals: signals, Grace: c.grace,
			}
			go func() {
				n, err := local.Start(ctx, cfg)
				if err != nil {
					t.Error(err)
				}
				code <- n
			}()
			running := pids(t, out.await(t, `pids (\d+) (\d+) \.`)[1:]...)
			c.end(cancel, signals)
			if got := <-code; got != c.code {
				t.Errorf("Start = %d, want %d", got, c.code)
			}
			if got := out.String(); !strings.Contains(got, "[WARN] Interrupted by User\n[DONE] Killing all") || !strings.Contains(got, c.out) {
				t.Errorf("Start prints\n%swant %s", got, c.out)
			}
			expectGone(t, running...)
		})
	}
}

// TestStartEndsWhenNobodyReads pipes the output into something that goes away.
func TestStartEndsWhenNobodyReads(t *testing.T) {
	t.Parallel()
	out := newScreen()
	out.after = func(text string) error {
		if strings.Contains(text, "pids") {
			return io.ErrClosedPipe
		}
		return nil
	}
	dir := app(t, map[string]string{"Procfile": "web: echo pids $$ .; exec sleep 1000"})
	code, err := local.Start(t.Context(), local.Config{Dir: dir, Environ: environ, Stdout: out, Stderr: out})
	if code != 1 || err != nil {
		t.Errorf("Start = %d, %v, want 1", code, err)
	}
	expectGone(t, pids(t, out.await(t, `pids (\d+) \.`)[1])...)
}

// TestStartDoesNotWaitForDaemons has a process leave its group with its output open.
func TestStartDoesNotWaitForDaemons(t *testing.T) {
	t.Parallel()
	out := newScreen()
	dir := app(t, map[string]string{"Procfile": "web: setsid sh -c 'echo pids $$ .; touch up; exec sleep 1000' & while [ ! -e up ]; do sleep 0.01; done"})
	code, err := local.Start(t.Context(), local.Config{Dir: dir, Environ: environ, Stdout: out, Stderr: out, Grace: 100 * time.Millisecond})
	if code != 0 || err != nil {
		t.Errorf("Start = %d, %v, want 0", code, err)
	}
	if err := syscall.Kill(pids(t, out.await(t, `pids (\d+) \.`)[1])[0], syscall.SIGKILL); err != nil {
		t.Errorf("the daemon is gone: %v", err)
	}
}

func TestStartShowsWhatIsNoWholeLine(t *testing.T) {
	t.Parallel()
	out := newScreen()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := local.Start(ctx, local.Config{
			Dir: app(t, map[string]string{"Procfile": "web: printf 'sure? '; exec sleep 1000"}), Environ: environ, Stdout: out, Stderr: out,
			Color: true,
		})
		ended <- err
	}()
	out.await(t, `\x1b\[35m\S+ [AP]M web\.1 \| \x1b\[0m sure\? \n`)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	out.await(t, `\x1b\[36m\[DONE\] Killing all processes with signal SIGTERM\x1b\[0m\n`)
}

func TestRun(t *testing.T) {
	t.Parallel()
	out := newScreen()
	dir := app(t, map[string]string{".env": "A=b\nPORT=8000\n", "bad": "A='\n"})
	cfg := local.Config{Dir: dir, Environ: environ, Stdin: strings.NewReader("in\n"), Stdout: out, Stderr: out}
	code, err := local.Run(t.Context(), cfg, `read x; echo "$x $A $PORT $(pwd)"; kill -9 $$`)
	if want := "[OKAY] Loaded ENV .env File as KEY=VALUE Format\nin b 8000 " + dir + "\n"; code != 137 || err != nil || out.String() != want {
		t.Errorf("Run = %d, %v and prints %q, want 137 and %q", code, err, out.String(), want)
	}
	cfg.EnvFiles = []string{"bad"}
	if code, err := local.Run(t.Context(), cfg, "true"); code != 1 || err == nil || !strings.HasPrefix(err.Error(), "bad line 1: ") {
		t.Errorf("Run = %d, %v, want a line of the env file", code, err)
	}
}

func TestRunPassesSignalsOn(t *testing.T) {
	t.Parallel()
	out := newScreen()
	signals, code := make(chan os.Signal), make(chan int, 1)
	go func() {
		n, err := local.Run(t.Context(), local.Config{Dir: t.TempDir(), Environ: environ, Stdout: out, Stderr: out, Signals: signals},
			"trap 'exit 7' TERM; trap 'echo twice' INT; echo ready; while :; do sleep 0.02; done")
		if err != nil {
			t.Error(err)
		}
		code <- n
	}()
	out.await(t, "ready")
	signals <- syscall.SIGINT // the terminal has sent it already
	signals <- syscall.SIGTERM
	if got := <-code; got != 7 || strings.Contains(out.String(), "twice") {
		t.Errorf("Run = %d and prints %q, want 7", got, out.String())
	}
}
