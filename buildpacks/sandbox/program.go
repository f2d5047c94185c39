package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	scratchDir = "/.scratch" // memory that a program writes to
	lowerDir   = "/.app"     // the app as it is
)

// A program is one run, on a thread of its own.
type program struct {
	w   *inside
	c   Command
	out *Outcome

	owner, group int      // of the app, as the worker sees it
	upper        *os.File // what was written to the app; nil if it is read-only
	readOnly     string   // why it is
	opened       *watch   // nil where nobody can tell
}

// run is all there is to a program; it is called on a thread of its own.
func (p *program) run() error {
	defer p.close()
	if p.w.Plain {
		return p.start(p.plainAttr())
	}
	if err := p.enter(); err != nil {
		return err
	}
	p.opened = watchFiles(AppDir)
	if err := p.start(p.attr()); err != nil {
		return err
	}
	p.look()
	return nil
}

func (p *program) close() {
	if p.upper != nil {
		_ = p.upper.Close() // a directory
	}
	p.opened.close()
}

// enter makes the program's namespaces, and goes in.
func (p *program) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS); err != nil {
		return wrap("make namespaces", err)
	}
	if err := unix.Sethostname([]byte("slipway")); err != nil {
		return wrap("name the host", err)
	}
	root := p.w.Dir + rootName
	for _, m := range p.c.Mounts {
		if err := p.show(root, m); err != nil {
			return err
		}
	}
	if err := p.findOwner(); err != nil {
		return err
	}
	if err := p.makeScratch(root); err != nil {
		return err
	}
	if err := p.showApp(root); err != nil {
		return err
	}
	if err := readOnly(root, 0); err != nil {
		return wrap("make root read-only", err)
	}
	if err := unix.Chdir(root); err != nil {
		return wrap("enter root", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return wrap("change root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return wrap("leave this machine's root", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return wrap("enter root", err)
	}
	return wrap("give up privileges", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

func (p *program) show(root string, m Mount) error {
	if !path.IsAbs(m.Target) || path.Clean(m.Target) != m.Target {
		return fmt.Errorf("show %s in the sandbox: %q is no place for it", m.Source, m.Target)
	}
	if err := makeDir(root, m.Target); err != nil {
		return err
	}
	return bind(m.Source, root+m.Target)
}

// findOwner decides who the program is: outside, whom the app belongs to, so that
// it may read it; what else it sees, that user owns or everybody may read.
func (p *program) findOwner() error {
	var st unix.Stat_t
	if err := unix.Stat(p.c.App, &st); err != nil {
		return wrap("look at the app", err)
	}
	if !p.w.Users {
		p.owner, p.group = int(st.Uid), int(st.Gid)
	}
	return nil
}

// makeScratch gives the program memory to write to.
func (p *program) makeScratch(root string) error {
	at := root + scratchDir
	options := fmt.Sprintf("size=%d,nr_inodes=%d,mode=700", scratch, inodes)
	if err := unix.Mount("tmpfs", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return wrap("mount memory", err)
	}
	for i, dir := range writable {
		from := fmt.Sprintf("%s/%d", at, i)
		if err := os.Mkdir(from, 0o755); err != nil {
			return wrap("make "+dir, reason(err))
		}
		if err := os.Chmod(from, 0o777|os.ModeSticky); err != nil {
			return wrap("make "+dir, reason(err))
		}
		if err := unix.Mount(from, root+dir, "", unix.MS_BIND, ""); err != nil {
			return wrap("mount "+dir, err)
		}
	}
	if p.c.Collect == "" {
		return nil
	}
	return p.makeCollected(root)
}

// makeCollected makes the file that the program may write, empty.
func (p *program) makeCollected(root string) error {
	if !strings.HasPrefix(path.Clean(p.c.Collect), "/tmp/") {
		return fmt.Errorf("make %s: it has to lie in /tmp", p.c.Collect)
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return wrap("open root", reason(err))
	}
	defer func() { _ = r.Close() }() // a directory
	name := strings.TrimPrefix(path.Clean(p.c.Collect), "/")
	if err = r.MkdirAll(path.Dir(name), 0o700); err == nil {
		err = r.WriteFile(name, nil, 0o600)
	}
	for _, own := range []string{name, path.Dir(name)} {
		if err == nil && own != "tmp" {
			err = r.Chown(own, p.owner, p.group)
		}
	}
	return wrap("make "+p.c.Collect, reason(err))
}

// showApp lays memory over the app, so that what is written is seen and lost.
func (p *program) showApp(root string) error {
	if err := bind(p.c.App, root+lowerDir); err != nil {
		return err
	}
	upper, work := root+scratchDir+"/upper", root+scratchDir+"/work"
	for _, dir := range []string{upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return wrap("make memory for the app", reason(err))
		}
	}
	info, err := os.Stat(root + lowerDir)
	if err == nil {
		err = errors.Join(os.Chmod(upper, info.Mode().Perm()), os.Chown(upper, p.owner, p.group))
	}
	if err != nil {
		return wrap("make memory for the app", reason(err))
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,userxattr", root+lowerDir, upper, work)
	if err := unix.Mount("overlay", root+AppDir, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		p.readOnly = err.Error()
		if err := bind(p.c.App, root+AppDir); err != nil {
			return err
		}
	} else if p.upper, err = os.Open(upper); err != nil {
		return wrap("open memory of the app", reason(err))
	}
	// Neither is to be had by another way.
	for _, dir := range []string{lowerDir, scratchDir} {
		if err := unix.Unmount(root+dir, unix.MNT_DETACH); err != nil {
			return wrap("hide "+dir, err)
		}
	}
	return nil
}

// attr is how the program is started: as a user that is nobody outside but the
// app's owner, stopped until its limits are set.
func (p *program) attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: p.w.UID, HostID: p.owner, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: p.w.GID, HostID: p.group, Size: 1}},
		Credential:  &syscall.Credential{Uid: uint32(p.w.UID), Gid: uint32(p.w.GID), NoSetGroups: true},
		Setsid:      true,
		Ptrace:      true,
	}
}

func (p *program) plainAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Ptrace: true}
}

// start runs the program to its end, and ends what it has started.
func (p *program) start(attr *syscall.SysProcAttr) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return wrap("open /dev/null", reason(err))
	}
	defer func() { _ = null.Close() }() // it was only read
	r, wr, err := os.Pipe()
	if err != nil {
		return wrap("make pipe", err)
	}
	defer func() { _ = r.Close() }() // it was only read
	dir := AppDir
	if p.w.Plain {
		dir = p.c.App
		if err := p.makePlainCollected(); err != nil {
			return errors.Join(err, wr.Close())
		}
	}
	before := p.w.oomKills()
	pid, err := syscall.ForkExec(p.c.Args[0], p.c.Args, &syscall.ProcAttr{
		Dir: dir, Env: p.c.Env, Files: []uintptr{null.Fd(), wr.Fd(), wr.Fd()}, Sys: attr,
	})
	if err := wr.Close(); err != nil {
		return wrap("close pipe", err)
	}
	if err != nil {
		p.out.StartErr = err.Error()
		return nil
	}
	kept := keep(r, p.c.Limits.Output)
	if err := p.release(pid); err != nil {
		killAll()
		reap()
		return err
	}
	started := time.Now()
	p.wait(pid)
	p.out.Took = time.Since(started)
	p.out.LeftRunning = p.sweep(kept)
	p.out.Output, p.out.Dropped = kept.end(r)
	p.out.OutOfMemory = p.w.oomKills() > before && p.out.Signal == int(unix.SIGKILL)
	p.collect()
	return nil
}

func (p *program) makePlainCollected() error {
	if p.c.Collect == "" {
		return nil
	}
	return wrap("make "+p.c.Collect, reason(os.WriteFile(p.c.Collect, nil, 0o600)))
}

// release sets the limits of the program, which stands at its first instruction,
// and lets it go.
func (p *program) release(pid int) error {
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return wrap("wait for the program to start", err)
	}
	if !status.Stopped() {
		return errors.New("start the program: it ended before it began")
	}
	if err := p.w.limit(pid, p.c.Limits); err != nil {
		return err
	}
	return wrap("let the program go", unix.PtraceDetach(pid))
}

// wait waits for the program, as long as it may take.
func (p *program) wait(pid int) {
	stop := func() bool { return false }
	fired := make(chan struct{})
	if limit := p.c.Limits.Timeout; limit > 0 {
		timer := time.AfterFunc(limit, func() { killAll(); close(fired) })
		stop = timer.Stop
	}
	var status unix.WaitStatus
	for {
		got, err := unix.Wait4(pid, &status, 0, nil)
		if err == unix.EINTR || err == nil && got == pid && !status.Exited() && !status.Signaled() {
			continue
		}
		break
	}
	if p.c.Limits.Timeout > 0 && !stop() {
		<-fired
		p.out.TimedOut = true
	}
	switch {
	case status.Exited():
		p.out.ExitCode = status.ExitStatus()
	case status.Signaled():
		p.out.Signal = int(status.Signal())
	}
}

// sweep stops what the program has left behind, and tells whether there was
// something. What it has started may have a moment to end its output.
func (p *program) sweep(kept *kept) bool {
	const grace = 250 * time.Millisecond
	if !p.out.TimedOut {
		select {
		case <-kept.done:
		case <-time.After(grace):
		}
	}
	reap()
	left := others()
	killAll()
	reapAll()
	return left && !p.out.TimedOut && p.out.Signal == 0
}

// collect reads the file that the program may have written.
func (p *program) collect() {
	if p.c.Collect == "" {
		return
	}
	fd, err := unix.Open(p.c.Collect, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		p.out.CollectErr = err.Error()
		return
	}
	f := os.NewFile(uintptr(fd), p.c.Collect)
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		p.out.CollectErr = "it is no file any more"
		return
	}
	data, err := io.ReadAll(io.LimitReader(f, p.c.Limits.Collect+1))
	switch {
	case err != nil:
		p.out.CollectErr = reason(err).Error()
	case int64(len(data)) > p.c.Limits.Collect:
		p.out.CollectErr = fmt.Sprintf("it is longer than %d bytes", p.c.Limits.Collect)
	default:
		p.out.Collected = data
	}
}
