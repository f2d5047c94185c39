package bundle

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// handlerTimeout bounds the wait for a first process that just began.
const handlerTimeout = time.Second

// Signal sends a signal to the container's first process. That is the init of
// its PID namespace: the kernel drops what it does not handle, but SIGKILL. A
// container that has ended is left alone.
func (c *Container) Signal(sig os.Signal) error {
	c.mu.Lock()
	proc := c.runc
	c.mu.Unlock()
	if proc == nil {
		return nil
	}
	// runc passes it on.
	if err := proc.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal container %s: %w", c.id, err)
	}
	return nil
}

// AwaitHandler waits until the first process of a container, which has just been
// started by runc, handles a signal, as an init does. It gives up, without an
// error, after a second and when done is closed.
func AwaitHandler(ctx context.Context, pid int, sig syscall.Signal, done <-chan struct{}) error {
	late := time.NewTimer(handlerTimeout)
	defer late.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !handles(pid, sig) {
		select {
		case <-again.C:
		case <-late.C:
			return nil
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// handles says whether a process catches a signal, or holds it back to ask
// for it.
func handles(pid int, sig syscall.Signal) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if name == "Name" && strings.HasPrefix(strings.TrimSpace(value), "runc:[") {
			return false // it is not the process yet
		}
		if name != "SigBlk" && name != "SigCgt" {
			continue
		}
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err == nil && mask&(1<<(uint(sig)-1)) != 0 {
			return true
		}
	}
	return false
}
