package bundle

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A Spec describes a container before it has a process.
type Spec struct {
	// ID names the container: letters, digits, '-', '_' and '.'.
	ID string
	// Lower are the layers of the root file system, topmost first. What the
	// container writes goes into a layer of its own.
	Lower []string
	// Scratch bounds that layer, in bytes: it is kept in memory, and counts
	// as the container's. If zero, it is on disk and has no bound.
	Scratch int64
	// Dir is a root file system that the container may write to itself,
	// instead of Lower.
	Dir string
	// Mounts are put into the root before Create returns.
	Mounts []Mount
	// Prepare, if set, is called when the root is mounted and Mounts are not
	// yet, so that it sees what they will cover.
	Prepare func(*Root) error
	// Files are small read-write files of the container's own, by their path
	// in it: /etc/hosts and the like.
	Files map[string]string
	// Hostname is the container's; its ID if empty.
	Hostname string
	// NetNS is the path of a network namespace to join; a new one with only
	// a loopback device if empty.
	NetNS string
	// ShmSize bounds /dev/shm; 64 MB if zero.
	ShmSize int64
	// Limits bound what all of the container's processes use together.
	Limits Limits
}

// A Process is what runs in a container.
type Process struct {
	Args            []string
	Env             []string
	Dir             string // "/" if empty; made if missing
	User            User
	NoNewPrivileges bool
	// DropCaps are default capabilities that it does without, as
	// "CAP_NET_RAW"; all of them if one is "ALL".
	DropCaps []string
	// Terminal gives the process a terminal of this size, instead of Stdio.
	Terminal *Size
}

// defaultCaps are the capabilities that Docker gives to a container.
func defaultCaps() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
		"CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
		"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
	}
}

func (p Process) caps() []string {
	if slices.Contains(p.DropCaps, "ALL") {
		return nil
	}
	return slices.DeleteFunc(defaultCaps(), func(c string) bool { return slices.Contains(p.DropCaps, c) })
}

// expendableScore makes the kernel, where the machine's memory ends, rather
// kill what is in a container than the server.
const expendableScore = 500

// expendable is nil where our own score is as high: lowering it would need
// CAP_SYS_RESOURCE.
func expendable() *int {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return nil
	}
	own, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || own >= expendableScore {
		return nil
	}
	score := expendableScore
	return &score
}

// ociSpec is the whole config.json. There are no resource limits (rlimits, a lower
// OOM score) in it that would need CAP_SYS_RESOURCE.
func ociSpec(s Spec, p Process, g *cgroups) *specs.Spec {
	if p.Dir == "" {
		p.Dir = "/"
	}
	hostname := s.Hostname
	if hostname == "" {
		hostname = s.ID
	}
	caps := &specs.LinuxCapabilities{Bounding: p.caps()}
	if p.User.UID == 0 {
		caps.Permitted, caps.Effective = caps.Bounding, caps.Bounding
	}
	out := &specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Args:            p.Args,
			Env:             p.Env,
			Cwd:             p.Dir,
			User:            specs.User{UID: p.User.UID, GID: p.User.GID, AdditionalGids: p.User.Groups},
			Capabilities:    caps,
			NoNewPrivileges: p.NoNewPrivileges,
			OOMScoreAdj:     expendable(),
		},
		Hostname: hostname,
		Mounts:   ociMounts(s),
		Linux: &specs.Linux{
			CgroupsPath: g.path(s.ID),
			Resources:   s.Limits.resources(g),
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
				{Type: specs.MountNamespace},
				{Type: specs.CgroupNamespace},
				{Type: specs.NetworkNamespace, Path: s.NetNS},
			},
			MaskedPaths: []string{
				"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
				"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
				"/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
			},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	if p.Terminal != nil {
		out.Process.Terminal = true
		out.Process.ConsoleSize = &specs.Box{Width: uint(p.Terminal.Columns), Height: uint(p.Terminal.Rows)}
	}
	out.Linux.Seccomp = filter(out)
	return out
}

// filter is the seccomp profile that Docker gives by default, for the machine's
// own architecture alone: a program of another one, 32 bits on amd64 say, is
// killed. runc takes 5 ms to compile it so, and 15 ms for all that the kernel
// could run.
func filter(s *specs.Spec) *specs.LinuxSeccomp {
	profile := seccomp.DefaultProfile(s)
	switch runtime.GOARCH {
	case "amd64":
		profile.Architectures = []specs.Arch{specs.ArchX86_64}
	case "arm64":
		profile.Architectures = []specs.Arch{specs.ArchAARCH64}
	}
	return profile
}

func ociMounts(s Spec) []specs.Mount {
	shm := s.ShmSize
	if shm == 0 {
		shm = 64 << 20
	}
	mounts := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", sizeOption(shm)}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}},
	}
	for _, m := range s.Mounts {
		if !m.virtual() {
			continue
		}
		options := []string{"rbind", "rprivate", "rw"}
		if m.ReadOnly {
			options[2] = "ro"
		}
		mounts = append(mounts, specs.Mount{Destination: m.Target, Type: "bind", Source: m.Source, Options: options})
	}
	return mounts
}

func sizeOption(n int64) string { return "size=" + strconv.FormatInt(n, 10) }
