package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/containerd/console"
	"golang.org/x/term"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
	"slipway/internal/dyno"
)

// newTerminal opens a real terminal: what a person sees, and what a program has.
func newTerminal(t *testing.T) (screen console.Console, tty *os.File) {
	t.Helper()
	screen, path, err := console.NewPty()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	if err := screen.Resize(console.WinSize{Width: 100, Height: 30}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return screen, tty
}

// TestRunGivesTheDynoTheTerminal runs a dyno in a real terminal: keys go to it as
// they are, and its size follows.
func TestRunGivesTheDynoTheTerminal(t *testing.T) {
	screen, tty := newTerminal(t)
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	srv := apitest.Start(t)
	srv.Dynos.Running = func(_ context.Context, dt dyno.Terminal) (dyno.Exit, error) {
		fmt.Fprint(dt.Stdout, "ready\r\n")
		size := <-dt.Resize
		fmt.Fprintf(dt.Stdout, "%dx%d\r\n", size.Columns, size.Rows)
		key := make([]byte, 2)
		_, err := io.ReadFull(dt.Stdin, key)
		fmt.Fprintf(dt.Stdout, "%q\r\n", key)
		return dyno.Exit{Code: 5}, err
	}
	code := make(chan int, 1)
	cfg := cli.Config{
		Stdin: tty, Stdout: tty, Stderr: io.Discard, Term: "xterm", URL: srv.URL, Token: apitest.Token, ConfigDir: t.TempDir(),
	}
	root := cli.New(cfg)
	go func() { code <- cli.Run(t.Context(), root, []string{"run", "-a", "shop", "bash"}) }()

	lines := bufio.NewReader(screen)
	expect := func(want string) {
		t.Helper()
		if got, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(got) != want {
			t.Fatalf("the screen shows %q, %v; want %q", got, err, want)
		}
	}
	expect("ready")
	if err := screen.Resize(console.WinSize{Width: 120, Height: 40}); err != nil {
		t.Fatal(err)
	}
	// The terminal is not this process's own, so the kernel does not tell it.
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	expect("120x40")
	if _, err := screen.Write([]byte{3, 'x'}); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	expect(`"\x03x"`)
	if got := <-code; got != 5 {
		t.Errorf("run exits with %d, want 5", got)
	}
	after, err := term.GetState(int(tty.Fd()))
	if err != nil || fmt.Sprint(*after) != fmt.Sprint(*before) {
		t.Errorf("the terminal is left as %v, %v; want %v", after, err, before)
	}
	asked := srv.Dynos.OneOffs()[0]
	if !asked.TTY || asked.Size != (dyno.Size{Columns: 100, Rows: 30}) || fmt.Sprint(asked.Env) != "map[TERM:xterm]" {
		t.Errorf("run asks for %+v, want a terminal of 100 by 30", asked)
	}
}

// TestDetectWatchesInATerminal changes an app while slipway detect --watch shows
// it, and ends it as Ctrl-C does.
func TestDetectWatchesInATerminal(t *testing.T) {
	screen, tty := newTerminal(t)
	dir := demo(t)
	shop := filepath.Join(dir, "shop")
	ctx, interrupt := context.WithCancel(t.Context())
	code := make(chan int, 1)
	root := cli.New(cli.Config{Stdin: tty, Stdout: tty, Stderr: tty, Term: "xterm", ConfigDir: t.TempDir()})
	go func() { code <- cli.Run(ctx, root, []string{"detect", "--watch", shop}) }()

	lines := bufio.NewReader(screen)
	until := func(want string) string {
		t.Helper()
		var seen strings.Builder
		for {
			line, err := lines.ReadString('\n')
			seen.WriteString(line)
			if err != nil {
				t.Fatalf("the screen shows %q, %v; want %q", &seen, err, want)
			}
			if strings.Contains(line, want) {
				return seen.String()
			}
		}
	}
	first := until("python 3.13.")
	if !strings.Contains(first, "\x1b[H\x1b[2J") || !strings.Contains(first, "\x1b[1m===") {
		t.Errorf("the screen shows %q, want it cleared, with colours", first)
	}
	until("took")
	if err := os.WriteFile(filepath.Join(shop, "runtime.txt"), []byte("python-2.7.18\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until("changed: " + shop)
	until("end-of-life")
	until("took")
	if err := os.Remove(filepath.Join(shop, "runtime.txt")); err != nil {
		t.Fatal(err)
	}
	until("python 3.14.")
	interrupt()
	if got := <-code; got != 0 {
		t.Errorf("detect --watch exits with %d when interrupted, want 0", got)
	}
}
