package bundled

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// debianLayers are the two Debian layers: what run and build images share, and
// what the build image has on top.
type debianLayers struct {
	Run   layer `json:"run"`
	Build layer `json:"build"`
}

const (
	runLayerFile   = "run.tar.gz"
	buildLayerFile = "build.tar.gz"
)

// leftOut are paths whose content is the machine's or the moment's, not
// Debian's: what lies below them is not part of an image.
var leftOut = under("dev", "proc", "sys", "run", "tmp", "var/tmp", "var/cache", "var/log",
	"var/lib/apt")

// notInImage says what of the root file systems stays out of the layers.
func notInImage(rel string) bool {
	switch rel {
	case "etc/apt/apt.conf.d/99mmdebstrap", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-",
		"etc/.pwd.lock", "etc/machine-id", "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend", "var/lib/dpkg/triggers/Lock",
		"var/lib/dpkg/status-old", "var/lib/dpkg/available", "var/lib/dpkg/diversions-old",
		"var/lib/dpkg/statoverride-old", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed":
		return true
	}
	return leftOut(rel)
}

// debian makes the Debian layers in dir.
func (b *build) debian(ctx context.Context, dir string) (out debianLayers, err error) {
	work, err := os.MkdirTemp(dir, "root-")
	if err != nil {
		return debianLayers{}, fmt.Errorf("make work directory: %w", err)
	}
	defer removeAll(work, &err)
	base, full := filepath.Join(work, "run"), filepath.Join(work, "build")
	b.say("Installing Debian %s (%s)", distroVer, suite)
	if err := b.bootstrap(ctx, base); err != nil {
		return debianLayers{}, fmt.Errorf("install Debian: %w", err)
	}
	if err := (tool{}).run(ctx, "cp", "-a", "--reflink=auto", base, full); err != nil {
		return debianLayers{}, fmt.Errorf("copy run root: %w", err)
	}

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if err = settle(base); err != nil {
			return err
		}
		out.Run, err = packer{root: base, skip: notInImage}.pack(gctx, filepath.Join(dir, runLayerFile))
		return err
	})
	g.Go(func() error {
		b.say("Installing compilers and headers for the build image")
		if err := install(gctx, full, buildPackages); err != nil {
			return fmt.Errorf("install build packages: %w", err)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return debianLayers{}, err
	}
	if err := settle(full); err != nil {
		return debianLayers{}, err
	}
	out.Build, err = packer{root: full, below: base, skip: notInImage}.pack(ctx, filepath.Join(dir, buildLayerFile))
	return out, err
}

// bootstrap installs a minimal Debian with the run packages in dir.
func (b *build) bootstrap(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list := dir + ".list"
	if err := os.WriteFile(list, []byte(b.mirrors.sources(suite)), 0o600); err != nil {
		return err
	}
	args := []string{
		"--mode=root", "--format=directory", "--variant=minbase", "--keyring=" + keyring,
		"--architectures=amd64", "--skip=cleanup/apt/lists,cleanup/apt/cache",
		`--aptopt=APT::Install-Recommends "false"`, `--aptopt=APT::Sandbox::User "root"`, `--aptopt=Acquire::Retries "3"`,
		"--include=" + strings.Join(runPackages, ","),
	}
	for _, d := range []string{"man", "info", "locale", "lintian", "bug", "groff", "doc"} {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+d+"/*")
	}
	proxies, err := aptProxies(ctx)
	if err != nil {
		return err
	}
	for _, p := range proxies {
		args = append(args, "--aptopt="+p)
	}
	args = append(args, "--dpkgopt=path-include=/usr/share/doc/*/copyright", suite, dir, list)
	t := tool{env: []string{"TMPDIR=" + filepath.Dir(dir), sourceDateEpoch(), "LC_ALL=C.UTF-8"}}
	return t.isolated(ctx, "mmdebstrap", args...)
}

func sourceDateEpoch() string {
	return "SOURCE_DATE_EPOCH=" + strconv.FormatInt(normalTime.Unix(), 10)
}

// install adds packages to a root file system, from the package lists in it.
func install(ctx context.Context, root string, packages []string) error {
	const script = `set -eu
mount -t proc none "$1/proc"
root=$1; shift
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" no_proxy="${no_proxy-}" \
	apt-get install -qy --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io "$@"`
	args := append([]string{"-c", script, "sh", root}, packages...)
	return tool{env: []string{sourceDateEpoch()}}.isolated(ctx, "sh", args...)
}

// settle gives a root file system what the image has instead of this
// machine's own: apt sources, names, users.
func settle(root string) error {
	files := map[string]string{
		"etc/apt/sources.list": (Mirrors{Debian: publicDebian, Security: publicSecurity}).sources(suite),
		"etc/hostname":         "slipway\n",
		"etc/resolv.conf":      "",
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("settle root: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("settle root: %w", err)
		}
	}
	return addUser(root)
}

// addUser adds the user that builds and runs apps.
func addUser(root string) error {
	lines := map[string]string{
		"etc/passwd":  fmt.Sprintf("%s:x:%d:%d::/home/%[1]s:/bin/bash\n", userName, userID, groupID),
		"etc/group":   fmt.Sprintf("%s:x:%d:\n", userName, groupID),
		"etc/shadow":  userName + ":!::0:99999:7:::\n",
		"etc/gshadow": userName + ":!::\n",
	}
	for name, line := range lines {
		path := filepath.Join(root, name)
		old, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("add user: %w", err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("add user: %w", err)
		}
		if err := os.WriteFile(path, append(old, line...), info.Mode().Perm()); err != nil {
			return fmt.Errorf("add user: %w", err)
		}
	}
	home := filepath.Join(root, "home", userName)
	if err := os.Mkdir(home, 0o755); err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	if err := os.Chmod(home, 0o755); err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	return os.Chown(home, userID, groupID)
}
