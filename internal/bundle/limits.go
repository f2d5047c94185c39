package bundle

import (
	"os"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// cpuPeriod is the CFS period in microseconds that Docker uses too.
const cpuPeriod = 100_000

// Limits bound what one container may use. Zero means no limit.
type Limits struct {
	Memory   int64 // bytes; there is no swap on top
	NanoCPUs int64 // billionths of a CPU
	Pids     int64 // processes and threads
}

// resources turns limits into the specification's words. runc applies them on
// cgroup v1 and v2 alike.
func (l Limits) resources(g *cgroups) *specs.LinuxResources {
	res := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}}
	if l.Memory > 0 {
		res.Memory = &specs.LinuxMemory{Limit: &l.Memory}
		if g.countsSwap() {
			res.Memory.Swap = &l.Memory
		}
	}
	if l.NanoCPUs > 0 {
		period := uint64(cpuPeriod)
		// The kernel refuses a quota below one millisecond.
		quota := max(l.NanoCPUs*cpuPeriod/1e9, 1000)
		res.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	if l.Pids > 0 {
		res.Pids = &specs.LinuxPids{Limit: &l.Pids}
	}
	return res
}

// countsSwap says whether a limit on memory and swap together can be set.
// Where there is no swap, none is needed.
func (g *cgroups) countsSwap() bool {
	swaps, err := os.ReadFile("/proc/swaps")
	if err != nil || strings.Count(strings.TrimSpace(string(swaps)), "\n") == 0 {
		return false
	}
	if g.unified {
		return true
	}
	_, err = os.Stat(filepath.Join(cgroupRoot, "memory", "memory.memsw.limit_in_bytes"))
	return err == nil
}
