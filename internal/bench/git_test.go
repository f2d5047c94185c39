//go:build bench

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	largeCommits = 18_000 // about 90,000 objects
	smallCommits = 8_000  // about 40,000
)

// TestGit compares the git server with git's own: git index-pack and git
// pack-objects for the storage, git http-backend and OpenSSH's sshd for the
// doors, with the real git as the client of both.
//
// Git is as it comes, which favours it: a push to it is not checked by fsck,
// and its fsync leaves out references and the objects of a tiny push. Ours does
// all of that. Only git index-pack is told to check, by --strict.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatalf("%v: install it with make bench, or apt-get install git", err)
	}
	g := newGitEnv(t)
	doors := openDoors(t, g)
	small := g.openHistory(t, "the small history", history(t, g, smallCommits))
	from := *source
	if from == "" {
		from = history(t, g, largeCommits)
	}
	large := g.openHistory(t, "the large history", from)
	t.Logf("%s; the load of this machine is %s; temporary files are in %s", g.must(t, "", "version"), load1(), os.TempDir())

	b := &gitBench{gitEnv: g, t: t, doors: doors, large: large, small: small}
	b.serveLarge()
	for _, part := range []struct {
		name string
		run  func()
	}{
		{"ingest", b.ingests},
		{"push", b.wholePushes},
		{"tiny", b.tinyPushes},
		{"many", b.manyPushes},
		{"clone", b.clones},
		{"next", b.nextPush},
		{"bombs", b.bombs},
	} {
		t.Run(part.name, func(t *testing.T) {
			b.t = t
			part.run()
		})
	}
	report(t, b.rows)
}

// A gitBench collects the rows of TestGit.
type gitBench struct {
	*gitEnv
	t            *testing.T // of the part that runs
	doors        *gitDoors
	large, small *bareHistory
	rows         []row
}

// goals are what a comparison should reach; 0 is none.
type goals struct {
	ratio float64 // of our time to the peer's
	peak  float64 // MB that ours may hold
}

// compare measures one thing and adds its rows: its time, and its memory where
// that has a goal. What cannot be measured does not keep the rest from it.
func (b *gitBench) compare(name string, want goals, ours, theirs trial) {
	b.t.Helper()
	before := load1()
	mine, peers, err := alternate(ours, theirs)
	if err != nil {
		b.t.Errorf("%s: %v", name, err)
		b.rows = append(b.rows, row{Name: name, Error: err.Error()})
		return
	}
	unit, scale := "s", 1.0
	if seconds(peers) < 1 {
		unit, scale = "ms", 1000
	}
	b.t.Logf("%s: %d rounds; ours %s; the peer %s; load %s before and %s after", name, len(mine), spread(mine), spread(peers), before, load1())
	b.rows = append(b.rows, against(name, seconds(mine)*scale, seconds(peers)*scale, unit, want.ratio))
	if want.peak > 0 {
		r, theirs := atMost(name+": memory", peak(mine), "MB", want.peak), peak(peers)
		r.Peer = &theirs
		b.rows = append(b.rows, r)
	}
}

// serveLarge puts the large history, as it lies, before both servers.
func (b *gitBench) serveLarge() {
	for _, d := range []*door{b.doors.oursHTTP, b.doors.backend} {
		b.must(b.t, "", "clone", "-q", "--mirror", "--template=", b.large.dir, d.path("large"))
		b.must(b.t, d.path("large"), "config", "http.receivepack", "true")
	}
}

// load1 is how many processes wanted a core in the last minute.
func load1() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(raw), " ")
	return first
}

// A bareHistory is a copy of a bare repository.
type bareHistory struct {
	dir     string
	branch  string // the one that HEAD points to, else the first
	refs    string // branches and tags
	pack    string // file with a pack of everything
	objects int    // in that pack
}

// openHistory copies a repository, as it lies, and packs it.
func (g *gitEnv) openHistory(t *testing.T, what, from string) *bareHistory {
	t.Helper()
	h := &bareHistory{dir: filepath.Join(t.TempDir(), "copy.git"), pack: filepath.Join(t.TempDir(), "all.pack")}
	from, err := filepath.Abs(from)
	if err != nil {
		t.Fatal(err)
	}
	g.must(t, "", "clone", "-q", "--mirror", "--no-hardlinks", "--template=", from, h.dir)
	h.refs = g.refsOf(t, h.dir)
	branch, _, _ := strings.Cut(g.must(t, h.dir, "for-each-ref", "--format=%(refname)", "refs/heads"), "\n")
	if head, err := g.git(t.Context(), h.dir, "rev-parse", "--symbolic-full-name", "--verify", "-q", "HEAD").Output(); err == nil {
		branch = strings.TrimSpace(string(head))
	}
	if h.branch = branch; !strings.HasPrefix(branch, "refs/heads/") {
		t.Fatalf("%s has no branch; give a repository that has one", from)
	}
	if _, err := g.pack(t.Context(), h.dir, h.pack); err != nil {
		t.Fatal(err)
	}
	h.objects, err = countIn(h.pack)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(h.pack)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s: %d objects in a pack of %.1f MB, %s commits, %d refs, files: %s", what, from, h.objects, float64(st.Size())/1e6,
		g.must(t, h.dir, "rev-list", "--all", "--count"), strings.Count(h.refs, "\n")+1,
		strings.ReplaceAll(g.must(t, h.dir, "count-objects", "-v"), "\n", ", "))
	return h
}

// refsOf lists branches and tags.
func (g *gitEnv) refsOf(t *testing.T, dir string) string {
	t.Helper()
	return g.must(t, dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
}

// pack writes a pack of everything that the references of a repository reach.
func (g *gitEnv) pack(ctx context.Context, dir, to string) (c cost, err error) {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return cost{}, err
	}
	defer f.Close()
	cmd := g.git(ctx, dir, "pack-objects", "-q", "--all", "--stdout")
	cmd.Stdout = f
	return weighed(cmd)
}

// countIn is the number of objects that a pack says it has.
func countIn(file string) (int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	head := make([]byte, 12)
	if _, err := f.Read(head); err != nil {
		return 0, fmt.Errorf("read pack: %w", err)
	}
	return (&packHead{head: head}).count()
}
