package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// newNetNS makes an empty network namespace. It lives as long as the returned
// file is open or a process is in it, so that a killed server leaves none.
func newNetNS() (*os.File, error) {
	var ns *os.File
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make network namespace: %w", err)
		}
		var err error
		ns, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return ns, err
}

// inside runs fn on a thread in a namespace. Sockets that it makes belong to
// the namespace for good, wherever they are used.
func inside(ns *os.File, fn func() error) error {
	// Not by Fd: somebody may close the file meanwhile.
	raw, err := ns.SyscallConn()
	if err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	return onThread(func() error {
		var entered error
		err := raw.Control(func(fd uintptr) { entered = unix.Setns(int(fd), unix.CLONE_NEWNET) })
		if err = errors.Join(err, entered); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return fn()
	})
}

// onThread runs fn on a thread whose network namespace it may change. The
// thread is brought back, or thrown away where that fails.
func onThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("open network namespace: %w", err)
			return
		}
		err = fn()
		if herr := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); herr == nil {
			runtime.UnlockOSThread()
		}
		// Else the thread ends with this goroutine.
		done <- errors.Join(err, home.Close())
	}()
	return <-done
}
