package browser

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// flags keep Chromium from doing anything but showing a page.
var flags = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
	"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
	"--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9", "--remote-debugging-pipe",
}

// Open starts a browser with one page of so many pixels, which ends with the
// test. A test that must not take seconds has no use for it.
func Open(tb testing.TB, width, height int) *Page {
	tb.Helper()
	toBrowser, fromBrowser, commands, answers := pipes(tb)
	cmd := exec.CommandContext(tb.Context(), "chromium", append(flags, "--user-data-dir="+tb.TempDir(), "about:blank")...)
	// The protocol's pipes are file descriptors 3 and 4.
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start chromium, a Debian package: %v", err)
	}
	_ = toBrowser.Close() // the browser has its own
	_ = fromBrowser.Close()
	p := &Page{tb: tb, commands: commands, waiting: map[int]chan answer{}, loaded: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(answers)
	}()
	tb.Cleanup(func() {
		_ = cmd.Cancel() // it may have ended
		_ = cmd.Wait()   // it was killed
		_ = commands.Close()
		<-read
		_ = answers.Close()
	})
	p.attach(width, height)
	return p
}

// pipes makes the browser's ends of two pipes, and ours.
func pipes(tb testing.TB) (toBrowser, fromBrowser, commands, answers *os.File) {
	tb.Helper()
	toBrowser, commands, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	answers, fromBrowser, err = os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	return toBrowser, fromBrowser, commands, answers
}
