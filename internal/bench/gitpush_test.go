//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	clients     = 8
	manySeconds = 3   // how long they push in one round
	mostPushes  = 600 // of one round: so many repositories are made before
)

// serial numbers repositories, so that no name comes twice.
var serial atomic.Int64

// pushes measures git push of refs from a repository, to a new one each time,
// and checks that they have arrived.
func (b *gitBench) pushes(d *door, from, want string, refs ...string) trial {
	return func() (cost, error) {
		name := fmt.Sprintf("new-%d", serial.Add(1))
		if err := d.make(d.path(name)); err != nil {
			return cost{}, err
		}
		defer os.RemoveAll(d.path(name))
		calm()
		c, err := timed(b.push(from, d.address(name), refs...))
		if err != nil {
			return c, err
		}
		if got := b.refsOf(b.t, d.path(name)); got != want {
			return c, fmt.Errorf("after the push, the server has the references\n%s\nwant\n%s", got, want)
		}
		return c, nil
	}
}

func (b *gitBench) push(from, address string, refs ...string) *exec.Cmd {
	return b.git(b.t.Context(), from, append([]string{"push", "-q", address}, refs...)...)
}

// wholePushes compares a push of all branches and tags into a new repository.
func (b *gitBench) wholePushes() {
	all := []string{"refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"}
	for _, to := range b.pairs() {
		b.compare("push of the large history, "+to.names, goals{ratio: 0.65},
			b.pushes(to.ours, b.large.dir, b.large.refs, all...), b.pushes(to.theirs, b.large.dir, b.large.refs, all...))
	}
}

// A pair is two doors that take the same client.
type pair struct {
	names        string
	ours, theirs *door
	tiny, many   float64 // goals
}

func (b *gitBench) pairs() []pair {
	return []pair{
		{"HTTP / git http-backend", b.doors.oursHTTP, b.doors.backend, 0.6, 1 / 1.8},
		{"SSH / sshd and git", b.doors.oursSSH, b.doors.sshd, 0.15, 1 / 4.},
	}
}

// tinyPushes compares a push of one commit with three files.
func (b *gitBench) tinyPushes() {
	from := b.tinyRepository()
	want := b.refsOf(b.t, from)
	for _, to := range b.pairs() {
		b.compare("tiny push, "+to.names, goals{ratio: to.tiny}, b.pushes(to.ours, from, want, "main"), b.pushes(to.theirs, from, want, "main"))
	}
}

func (b *gitBench) tinyRepository() string {
	dir := filepath.Join(b.t.TempDir(), "tiny")
	b.must(b.t, "", "init", "-q", "-b", "main", dir)
	for _, name := range []string{"Procfile", "app.py", "requirements.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat(name+"\n", 20)), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	b.must(b.t, dir, "add", "-A")
	b.must(b.t, dir, "commit", "-q", "-m", "tiny")
	return dir
}

// manyPushes compares tiny pushes by several clients at once, which push
// without a pause: how long one takes of the time of all.
func (b *gitBench) manyPushes() {
	from := b.tinyRepository()
	tip := b.must(b.t, from, "rev-parse", "main")
	for _, to := range b.pairs() {
		name := fmt.Sprintf("%d clients, tiny pushes, time a push, %s", clients, to.names)
		b.compare(name, goals{ratio: to.many}, b.many(to.ours, from, tip), b.many(to.theirs, from, tip))
	}
}

func (b *gitBench) many(d *door, from, tip string) trial {
	return func() (cost, error) {
		names := make(chan string, mostPushes)
		for range mostPushes {
			name := fmt.Sprintf("many-%d", serial.Add(1))
			if err := d.make(d.path(name)); err != nil {
				return cost{}, err
			}
			defer os.RemoveAll(d.path(name))
			names <- name
		}
		close(names)
		calm()
		var pushed atomic.Int64
		var pushing errgroup.Group
		started := time.Now()
		for range clients {
			pushing.Go(func() error {
				for name := range names {
					if time.Since(started) > manySeconds*time.Second {
						return nil
					}
					if _, err := timed(b.push(from, d.address(name), "main")); err != nil {
						return err
					}
					got, err := os.ReadFile(filepath.Join(d.path(name), "refs", "heads", "main"))
					if err != nil || string(bytes.TrimSpace(got)) != tip {
						return fmt.Errorf("after the push, main is %q, want %s: %w", got, tip, err)
					}
					pushed.Add(1)
				}
				return nil
			})
		}
		err := pushing.Wait()
		return cost{seconds: time.Since(started).Seconds() / float64(pushed.Load())}, err
	}
}

// nextPush compares a push of one commit more to the large history.
func (b *gitBench) nextPush() {
	client := filepath.Join(b.t.TempDir(), "client.git")
	b.must(b.t, "", "clone", "-q", "--mirror", b.large.dir, client)
	to := b.pairs()[0]
	tip := ""
	// The two of a round push the same commit; whoever is first makes it.
	turn := 0
	next := func(d *door) trial {
		return func() (cost, error) {
			if turn++; turn%2 == 1 {
				tip = b.grow(client)
			}
			calm()
			c, err := timed(b.push(client, d.address("large"), tip+":"+b.large.branch))
			if err != nil {
				return c, err
			}
			if got := b.must(b.t, d.path("large"), "rev-parse", b.large.branch); got != tip {
				return c, fmt.Errorf("after the push, %s is %s, want %s", b.large.branch, got, tip)
			}
			return c, nil
		}
	}
	b.compare("push of one commit on the large history, "+to.names, goals{ratio: 0.7}, next(to.ours), next(to.theirs))
}

// grow makes a commit that adds a file in a bare repository, and returns it.
func (b *gitBench) grow(dir string) string {
	file := filepath.Join(dir, "line.txt")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d\n", serial.Add(1)), 0o600); err != nil {
		b.t.Fatal(err)
	}
	blob := b.must(b.t, dir, "hash-object", "-w", file)
	b.must(b.t, dir, "read-tree", b.large.branch)
	b.must(b.t, dir, "update-index", "--add", "--cacheinfo", "100644,"+blob+",line.txt")
	tree := b.must(b.t, dir, "write-tree")
	tip := b.must(b.t, dir, "commit-tree", "-p", b.large.branch, "-m", "one more", tree)
	b.must(b.t, dir, "update-ref", b.large.branch, tip)
	return tip
}
