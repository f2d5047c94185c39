package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/console"
)

// TestLocalEndsWithItsTerminal runs slipway local in a terminal, and ends it as a
// person does.
func TestLocalEndsWithItsTerminal(t *testing.T) {
	t.Parallel()
	program := linkProgram(t)
	for _, c := range []struct {
		name string
		end  func(screen console.Console) error
		code int
	}{
		{"by Ctrl-C", func(screen console.Console) error {
			_, err := screen.Write([]byte{3})
			return err
		}, 0},
		{"by closing its window", func(screen console.Console) error { return screen.Close() }, 128 + int(syscall.SIGHUP)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			screen, path, err := console.NewPty()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = screen.Close() }()
			tty, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			procfile := "web: echo process $$ .; exec sleep 1000\nworker: sleep 1000 & echo process $! .; wait\n"
			if err := os.WriteFile(filepath.Join(dir, "Procfile"), []byte(procfile), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, "local")
			cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := errors.Join(cmd.Start(), tty.Close()); err != nil {
				t.Fatal(err)
			}
			pids := startedIn(t, screen, 2)
			if err := c.end(screen); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = cmd.Wait() // the state tells
			}()
			select {
			case <-ended:
			case <-time.After(20 * time.Second):
				t.Fatal("slipway local goes on")
			}
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("slipway local exits with %d, want %d", got, c.code)
			}
			for _, pid := range pids {
				stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
				if err == nil && !strings.Contains(string(stat), ") Z ") {
					t.Errorf("process %d is left behind: %s", pid, stat)
				}
			}
		})
	}
}

// startedIn reads the IDs of n processes off a terminal, which shows colours.
func startedIn(t *testing.T, screen console.Console, n int) []int {
	t.Helper()
	line := regexp.MustCompile(`^\x1b\[3[45]m\d+:\d\d:\d\d [AP]M (web|worker)\.1 +\| \x1b\[0m process (\d+) \.\r?\n$`)
	var pids []int
	for lines := bufio.NewReader(screen); len(pids) < n; {
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the terminal: %v", err)
		}
		m := line.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("the terminal shows %q, want a line that matches %s", text, line)
		}
		pid, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
