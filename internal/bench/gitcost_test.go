//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A cost is what one thing took.
type cost struct {
	seconds float64
	peak    float64 // MB that the program held at most; 0 where it is not measured, as cpu
	cpu     float64 // seconds of all cores
}

// A trial does something once.
type trial func() (cost, error)

const (
	// enough is how long a comparison goes on: no round begins after it, but for
	// the least that a median needs.
	enough = time.Minute
	least  = 3
	// short is a round so short that the first one only warms up.
	short = 5 * time.Second
)

// alternate does two things in turn, each as often first as the other.
func alternate(ours, theirs trial) (mine, peers []cost, err error) {
	started := time.Now()
	warm, most := false, *rounds
	for n := 0; n < most && (n < least || time.Since(started) < enough); {
		began := time.Now()
		pair := []trial{ours, theirs}
		var costs [2]cost
		for i := range pair {
			who := (i + n) % 2
			if costs[who], err = pair[who](); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", []string{"ours", "the peer"}[who], err)
			}
		}
		if took := time.Since(began); !warm && took < short {
			warm, started = true, time.Now()
			if took < time.Second { // what is short is noisy
				most *= 3
			}
			continue
		}
		warm = true
		n++
		mine, peers = append(mine, costs[0]), append(peers, costs[1])
	}
	return mine, peers, nil
}

func seconds(costs []cost) float64 { return middle(costs, func(c cost) float64 { return c.seconds }) }
func peak(costs []cost) float64    { return middle(costs, func(c cost) float64 { return c.peak }) }

// spread says how far the rounds lie apart, and what they took of the cores:
// other programs disturb that less.
func spread(costs []cost) string {
	least, most := costs[0].seconds, costs[0].seconds
	for _, c := range costs {
		least, most = min(least, c.seconds), max(most, c.seconds)
	}
	said := fmt.Sprintf("%.3f to %.3f s", least, most)
	if cpu := middle(costs, func(c cost) float64 { return c.cpu }); cpu > 0 {
		said += fmt.Sprintf(" (%.2f s of the cores)", cpu)
	}
	return said
}

func middle(costs []cost, of func(cost) float64) float64 {
	figures := make([]float64, len(costs))
	for i, c := range costs {
		figures[i] = of(c)
	}
	return median(figures)
}

// timed measures a program by the clock alone.
func timed(cmd *exec.Cmd) (cost, error) {
	started := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(started)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, bytes.TrimSpace(out))
	}
	return cost{seconds: took.Seconds()}, nil
}

// calm has the disk written what waits in memory, which an fsync of the next
// trial might have to wait for otherwise.
func calm() { syscall.Sync() }

// weighed measures a program and the memory that it holds at most.
func weighed(cmd *exec.Cmd) (cost, error) {
	var said bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &said
	}
	calm()
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	ended, polled := make(chan struct{}), make(chan float64, 1)
	go func() { polled <- pollPeak(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	took := time.Since(started)
	close(ended)
	most := <-polled
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	// The kernel counts what this process held when it started the other one
	// as that one's, so its figure says something only where it is larger.
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if exact := float64(usage.Maxrss) / 1024; ok && exact > memoryOf(os.Getpid(), "VmHWM:") {
		most = exact
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return cost{seconds: took.Seconds(), peak: most, cpu: cpu.Seconds()}, nil
}

// pollPeak asks a process every two milliseconds for the most that it has held.
func pollPeak(pid int, ended <-chan struct{}) (most float64) {
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		most = max(most, memoryOf(pid, "VmHWM:"))
		select {
		case <-again.C:
		case <-ended:
			return most
		}
	}
}

// memoryOf is a figure of a process's memory in MB; 0 if it has ended.
func memoryOf(pid int, field string) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			var kib float64
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				return 0
			}
			return kib / 1024
		}
	}
	return 0
}
