package testkit

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Running lists what runs for a data directory on the embedded engine: the
// containers of its dynos and builds, by their directories, mounts and control
// groups. Each container is there three times.
type Running struct {
	Containers []string // directories
	Mounts     []string // root file systems
	Cgroups    []string
	Devices    []string // host ends of networks, those that are kept ready among them
}

// Look takes stock of a data directory.
func Look(data string) Running {
	r := Running{Containers: find(data, "dynos/containers/run/*", "engine/containers/run/*")}
	for _, point := range mountPoints() {
		if strings.HasPrefix(point, data+"/") && strings.HasSuffix(point, "/rootfs") {
			r.Mounts = append(r.Mounts, point)
		}
	}
	for _, name := range []string{instance("dynos\x00" + filepath.Join(data, "dynos")), instance(filepath.Join(data, "engine"))} {
		seen := make(map[string]bool)
		for _, dir := range find("/sys/fs/cgroup", "*/slipway-"+name+"/*", "slipway-"+name+"/*") {
			if st, err := os.Stat(dir); err == nil && st.IsDir() && !seen[filepath.Base(dir)] {
				seen[filepath.Base(dir)] = true
				r.Cgroups = append(r.Cgroups, dir)
			}
		}
		devices, err := net.Interfaces()
		if err != nil {
			panic(err) // it reads the kernel's own list
		}
		for _, d := range devices {
			if strings.HasPrefix(d.Name, "sl"+name+"-") {
				r.Devices = append(r.Devices, d.Name)
			}
		}
	}
	return r
}

// instance is the name that a part of the server gives what it makes.
func instance(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:3])
}
