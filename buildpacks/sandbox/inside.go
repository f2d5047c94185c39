package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A program that links this package is a worker when it is started under the
// name of one. That has to come before main, whosever main it is.
func init() { //nolint:gochecknoinits // see above
	if len(os.Args) == 1 && os.Args[0] == workerName {
		os.Exit(work()) //nolint:forbidigo // it is the main of a worker
	}
}

// An inside is the worker's side: what it has to run programs with.
type inside struct {
	setup
	cgroups []*os.File // directories
	watched bool       // what is written to the app can be seen
	missing []string
}

// work is the main function of a worker.
func work() int {
	// What is sent to a PID 1 by its own namespace does nothing, unless it is
	// handled, as Go does. Programs are started with the default again.
	signal.Notify(make(chan os.Signal, 1))
	conn := os.NewFile(workerFD, "sandbox")
	unix.CloseOnExec(workerFD)
	messages := make(chan json.RawMessage)
	go func() {
		defer close(messages)
		for in := json.NewDecoder(conn); ; {
			var m json.RawMessage
			if in.Decode(&m) != nil {
				killAll()  // nobody wants to know any more
				os.Exit(0) //nolint:forbidigo // it is the main of a worker
			}
			messages <- m
		}
	}()
	out := json.NewEncoder(conn)
	w := &inside{}
	first := true
	for m := range messages {
		var answer any
		if first {
			answer = w.begin(m)
			first = false
		} else {
			answer = w.serve(m)
		}
		if out.Encode(answer) != nil {
			return 1
		}
	}
	return 0
}

// begin makes what all programs have in common.
func (w *inside) begin(m json.RawMessage) ready {
	if err := json.Unmarshal(m, &w.setup); err != nil {
		return ready{Err: err.Error()}
	}
	if err := w.prepare(); err != nil {
		return ready{Err: err.Error()}
	}
	return ready{Watched: w.watched, Missing: w.missing}
}

func (w *inside) prepare() error {
	if w.Plain {
		w.missing = append(w.missing, "a sandbox: it was not asked for")
		// What programs leave behind becomes this process's, so that it can be stopped.
		return wrap("become the parent of orphans", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	}
	if !w.Users {
		if err := syscall.Setgroups(nil); err != nil {
			return wrap("drop groups", err)
		}
	}
	for _, dir := range w.Cgroup {
		f, err := os.Open(dir)
		if err != nil {
			return fmt.Errorf("open cgroup: %w", reason(err))
		}
		w.cgroups = append(w.cgroups, f)
	}
	if err := w.makeRoot(); err != nil {
		return err
	}
	return w.rehearse()
}

// rehearse goes through a program's namespaces once, without a program, so that
// what is not allowed here is known before it matters.
func (w *inside) rehearse() error {
	app, err := os.MkdirTemp(w.Dir, "app-")
	if err != nil {
		return fmt.Errorf("rehearse: %w", reason(err))
	}
	var missing []string
	err = onThread(func() error {
		r := &program{w: w, c: Command{App: app}}
		defer r.close()
		err := r.enter()
		if r.readOnly != "" {
			missing = append(missing, "seeing what is written to the app ("+r.readOnly+"): it is read-only")
		}
		return err
	})
	w.missing, w.watched = append(w.missing, missing...), len(missing) == 0
	return err
}

// serve runs a program.
func (w *inside) serve(m json.RawMessage) *Outcome {
	out := &Outcome{ExitCode: -1}
	p := &program{w: w, out: out}
	err := json.Unmarshal(m, &p.c)
	if err == nil {
		err = onThread(p.run)
	}
	if err != nil {
		out.StartErr = err.Error()
	}
	return out
}

// onThread calls f on a thread that ends with it, and its namespaces too.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and is never unlocked: so the thread ends
		done <- f()
	}()
	return <-done
}

// wrap says what a system call was for.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
