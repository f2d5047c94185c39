package sandbox

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// past is a deadline that is over.
var past = time.Unix(1, 0)

// maxSeen is how many names are told of each kind.
const maxSeen = 1000

// look tells what the program was seen to do.
func (p *program) look() {
	p.out.Files, p.out.FilesSeen = p.opened.names()
	p.out.Network = triedNetwork()
	if p.upper == nil {
		return
	}
	p.out.Wrote = written(os.DirFS(fmt.Sprintf("/proc/self/fd/%d", p.upper.Fd())))
}

// written lists what lies in the memory over the app: files that were made,
// changed or removed, and directories that are empty.
func written(upper fs.FS) []string {
	var names []string
	last := ""
	err := fs.WalkDir(upper, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return nil //nolint:nilerr // what cannot be listed was written all the same
		}
		if len(names) == maxSeen {
			return fs.SkipAll
		}
		if last != "" && path.Dir(name) == last {
			names = names[:len(names)-1] // it is not empty
		}
		last = ""
		if d.IsDir() {
			last = name
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return []string{"."}
	}
	slices.Sort(names)
	return names
}

// triedNetwork tells whether something in this network namespace, which leads
// nowhere, looked for a route.
func triedNetwork() bool {
	return counter("/proc/thread-self/net/snmp", "Ip:", "OutNoRoutes") > 0 ||
		counter("/proc/thread-self/net/snmp6", "Ip6OutNoRoutes", "") > 0
}

// counter finds a counter of the kernel: a line "KEY VALUE", or, where column is
// given, a line of names and one of values that both begin with key.
func counter(file, key, column string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	var columns []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != key {
			continue
		}
		i := 1
		if column != "" {
			if columns == nil {
				columns = fields
				continue
			}
			i = slices.Index(columns, column)
		}
		if i < 0 || i >= len(fields) {
			return 0
		}
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// maxWatched is how many directories are watched for files that are opened.
const maxWatched = 4096

// A watch tells which files of a tree are opened. A nil one tells nothing.
type watch struct {
	file  *os.File
	dirs  map[int32]string
	whole bool // all directories are watched
	done  chan struct{}
	seen  map[string]bool
}

// watchFiles begins to watch the tree at root; nil if that cannot be done.
func watchFiles(root string) *watch {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil
	}
	w := &watch{file: os.NewFile(uintptr(fd), "inotify"), dirs: map[int32]string{}, whole: true, done: make(chan struct{}), seen: map[string]bool{}}
	w.add(fd, root)
	go w.read()
	return w
}

// add watches directories, those near the root first.
func (w *watch) add(fd int, root string) {
	for next := []string{"."}; len(next) > 0; next = next[1:] {
		id, err := unix.InotifyAddWatch(fd, path.Join(root, next[0]), unix.IN_OPEN|unix.IN_ONLYDIR|unix.IN_DONT_FOLLOW)
		if err != nil || len(w.dirs) == maxWatched {
			w.whole = false
			if len(w.dirs) == maxWatched {
				return
			}
			continue
		}
		w.dirs[int32(id)] = next[0]
		entries, err := os.ReadDir(path.Join(root, next[0]))
		w.whole = w.whole && err == nil
		for _, e := range entries {
			if e.IsDir() && len(next) <= maxWatched {
				next = append(next, path.Join(next[0], e.Name()))
			}
		}
	}
}

func (w *watch) read() {
	defer close(w.done)
	for buf := make([]byte, 64<<10); ; {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		w.events(buf[:n])
	}
}

// events takes note of what inotify(7) says.
func (w *watch) events(buf []byte) {
	for len(buf) >= unix.SizeofInotifyEvent {
		id := int32(binary.NativeEndian.Uint32(buf))
		mask := binary.NativeEndian.Uint32(buf[4:])
		size := int(binary.NativeEndian.Uint32(buf[12:]))
		if unix.SizeofInotifyEvent+size > len(buf) {
			return
		}
		name := strings.TrimRight(string(buf[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size]), "\x00")
		buf = buf[unix.SizeofInotifyEvent+size:]
		switch {
		case mask&unix.IN_Q_OVERFLOW != 0:
			w.whole = false
		case mask&unix.IN_OPEN != 0 && mask&unix.IN_ISDIR == 0 && name != "":
			if len(w.seen) == maxSeen {
				w.whole = false
				continue
			}
			w.seen[path.Join(w.dirs[id], name)] = true
		}
	}
}

// names ends the watch, and gives the files that were opened, sorted, and
// whether these are all.
func (w *watch) names() ([]string, bool) {
	if w == nil {
		return nil, false
	}
	w.drain()
	var all []string
	for name := range w.seen {
		all = append(all, name)
	}
	slices.Sort(all)
	return all, w.whole
}

func (w *watch) close() {
	if w != nil {
		w.drain()
		// The kernel takes 20 ms over it, for which nobody needs to wait. It ends
		// with the worker at the latest.
		go func() { _ = w.file.Close() }() // it was only read
	}
}

// drain reads what the kernel has told by now, and ends the reading.
func (w *watch) drain() {
	// The reader takes what is there before it looks at its deadline again, but
	// may be between two reads: so the rest is read here.
	_ = w.file.SetReadDeadline(past) // on failure the file was closed before
	<-w.done
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 64<<10)
	_ = raw.Control(func(fd uintptr) { // as above
		for {
			n, err := unix.Read(int(fd), buf)
			if n <= 0 || err != nil {
				return
			}
			w.events(buf[:n])
		}
	})
}
