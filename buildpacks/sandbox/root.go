package sandbox

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// rootName is the root file system, in the pool's directory. Below the worker's
// mounts each program has a copy of what is mounted there.
const rootName = "/root"

// machine is what a program sees of this machine where there is no image:
// programs and what they read, nothing of its people and services.
var machine = []string{
	"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr", "/opt", "/nix", "/gnu",
	"/etc/alternatives", "/etc/ca-certificates", "/etc/fonts", "/etc/java", "/etc/ld.so.cache", "/etc/ld.so.conf",
	"/etc/ld.so.conf.d", "/etc/locale.alias", "/etc/locale.conf", "/etc/localtime", "/etc/mime.types", "/etc/os-release",
	"/etc/perl", "/etc/protocols", "/etc/services", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs",
	"/etc/timezone",
}

var devices = []string{"null", "zero", "full", "random", "urandom"}

// writable are the directories that a program may write to.
var writable = []string{"/tmp", "/var/tmp", "/home/cnb", "/dev/shm", "/run"}

// makeRoot makes the file system that all programs of the worker start from, in
// the worker's own mount namespace.
func (w *inside) makeRoot() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return wrap("keep mounts to the sandbox", err)
	}
	// Everything of ours lies on one tmpfs over the pool's directory.
	if err := unix.Mount("tmpfs", w.Dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=16m,nr_inodes=8k,mode=755"); err != nil {
		return wrap("mount memory", err)
	}
	for _, dir := range []string{rootName, "/upper", "/work"} {
		if err := os.Mkdir(w.Dir+dir, 0o755); err != nil {
			return wrap("make root", reason(err))
		}
	}
	root := w.Dir + rootName
	if w.Root != "" {
		if err := w.mountImage(root); err != nil {
			return err
		}
	} else if err := unix.Mount(root, root, "", unix.MS_BIND, ""); err != nil {
		return wrap("bind root", err)
	}
	dirs := append([]string{AppDir, "/proc", "/dev", scratchDir, lowerDir}, writable...)
	for _, dir := range dirs {
		if err := makeDir(root, dir); err != nil {
			return err
		}
	}
	if w.Root == "" {
		if err := w.showMachine(root); err != nil {
			return err
		}
	}
	if err := makeDevices(root); err != nil {
		return err
	}
	return wrap("mount /proc", unix.Mount("proc", root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
}

// mountImage lays memory over the image, since directories are made in it.
func (w *inside) mountImage(root string) error {
	image := w.Dir + "/image"
	if err := os.Mkdir(image, 0o755); err != nil {
		return wrap("make root", reason(err))
	}
	if err := bind(w.Root, image); err != nil {
		return err
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,userxattr", image, w.Dir+"/upper", w.Dir+"/work")
	return wrap("mount image", unix.Mount("overlay", root, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options))
}

// makeDir makes a directory in root. What is a link there is left alone: it is
// mounted over where it leads in root, or not at all.
func makeDir(root, dir string) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return wrap("open root", reason(err))
	}
	defer func() { _ = r.Close() }() // nothing was written
	name := strings.TrimPrefix(path.Clean(dir), "/")
	if name == "" {
		return nil
	}
	if err := r.MkdirAll(name, 0o755); err != nil {
		return fmt.Errorf("make %s in the sandbox: %w", dir, reason(err))
	}
	return nil
}

// showMachine mounts what programs may see of this machine.
func (w *inside) showMachine(root string) error {
	for _, name := range machine {
		info, err := os.Lstat(name)
		if err != nil {
			continue // not every machine has all
		}
		if err := makeDir(root, filepath.Dir(name)); err != nil {
			return err
		}
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err == nil {
				err = os.Symlink(target, root+name)
			}
			if err != nil {
				return wrap("link "+name, reason(err))
			}
			continue
		case info.IsDir():
			err = os.Mkdir(root+name, 0o755)
		default:
			err = os.WriteFile(root+name, nil, 0o644)
		}
		if err != nil {
			return wrap("make "+name, reason(err))
		}
		if err := bind(name, root+name); err != nil {
			return err
		}
	}
	return w.writeUsers(root)
}

// writeUsers makes the users that there are.
func (w *inside) writeUsers(root string) error {
	files := map[string]string{
		"passwd": fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\ncnb:x:%d:%d::/home/cnb:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n", w.UID, w.GID),
		"group":  fmt.Sprintf("root:x:0:\ncnb:x:%d:\nnogroup:x:65534:\n", w.GID),
		"hosts":  "127.0.0.1 localhost\n",
		// Names are asked for where nobody answers; that is seen.
		"resolv.conf":   "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	}
	for name, text := range files {
		if err := os.WriteFile(root+"/etc/"+name, []byte(text), 0o644); err != nil {
			return wrap("make /etc/"+name, reason(err))
		}
	}
	return nil
}

func makeDevices(root string) error {
	if err := unix.Mount("tmpfs", root+"/dev", "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "size=64k,nr_inodes=64,mode=755"); err != nil {
		return wrap("mount /dev", err)
	}
	for _, name := range devices {
		at := root + "/dev/" + name
		if err := os.WriteFile(at, nil, 0o666); err != nil {
			return wrap("make /dev/"+name, reason(err))
		}
		if err := unix.Mount("/dev/"+name, at, "", unix.MS_BIND, ""); err != nil {
			return wrap("mount /dev/"+name, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(target, root+"/dev/"+name); err != nil {
			return wrap("make /dev/"+name, reason(err))
		}
	}
	return wrap("make /dev/shm", reason(os.Mkdir(root+"/dev/shm", 0o755)))
}

// bind shows source at target, read-only.
func bind(source, target string) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show %s in the sandbox: %w", source, err)
	}
	return wrap("make "+source+" read-only", readOnly(target, unix.AT_RECURSIVE))
}

func readOnly(target string, flags uint) error {
	return unix.MountSetattr(unix.AT_FDCWD, target, flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV})
}
