//go:build bench

package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/testkit"
)

// historyVersion is part of the key of a kept repository: raise it when what
// is generated changes.
const historyVersion = 1

// history returns a bare repository with about five objects for each of its
// commits, out of bin or made anew: source files in a tree of directories,
// small edits, side branches and tags, repacked by git. It has no bitmap.
func history(t *testing.T, g *gitEnv, commits int) string {
	t.Helper()
	kept := filepath.Join(testkit.Root(t), "bin", "bench-repos", fmt.Sprintf("v%d-%d.git", historyVersion, commits))
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	t.Logf("generating a history of %d commits; it is kept in bin", commits)
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(kept), "tmp-") //nolint:usetesting // it is renamed, and so must lie beside its new name
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	g.must(t, dir, "init", "-q", "--bare", "--template=", "-b", "main", ".")
	in, feed := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(feed, 1<<20)
		newAuthor(w, commits).write()
		feed.CloseWithError(w.Flush()) // nil is the end of the stream
	}()
	cmd := g.git(t.Context(), dir, "fast-import", "--quiet")
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	g.must(t, dir, "-c", "repack.writeBitmaps=false", "repack", "-adfq", "--window=10", "--depth=50")
	g.must(t, dir, "pack-refs", "--all")
	if err := os.Rename(dir, kept); err != nil {
		t.Fatal(err)
	}
	return kept
}

// An author writes a history as git fast-import reads it. The same number of
// commits gives the same history everywhere.
type author struct {
	w       *bufio.Writer
	rand    *rand.Rand
	words   []string
	files   []*sourceFile
	names   map[string]bool
	commits int
	mark    int
}

type sourceFile struct {
	path  string
	lines []string
}

func newAuthor(w *bufio.Writer, commits int) *author {
	a := &author{w: w, rand: rand.New(rand.NewPCG(1, 2)), names: map[string]bool{}, commits: commits}
	for range 4000 {
		word := make([]byte, 2+a.rand.IntN(9))
		for i := range word {
			word[i] = "etaoinshrdlucmfwypvbgk"[min(a.rand.IntN(22), a.rand.IntN(22))]
		}
		a.words = append(a.words, string(word))
	}
	return a
}

func (a *author) write() {
	for range 200 {
		a.add()
	}
	tip := a.commit("main", a.files)
	for a.mark < a.commits {
		switch n := a.rand.IntN(20); {
		case n == 0:
			tip = a.merge(tip)
		case n < 3:
			tip = a.commit("main", []*sourceFile{a.add(), a.edited()}, tip)
		default:
			tip = a.commit("main", a.someEdited(), tip)
		}
		if a.mark%400 == 0 {
			fmt.Fprintf(a.w, "tag v%d\nfrom :%d\ntagger %s\n", a.mark, tip, a.who())
			a.data("release " + strconv.Itoa(a.mark) + "\n")
		}
	}
	fmt.Fprint(a.w, "reset refs/heads/topic\nfrom 0000000000000000000000000000000000000000\n\ndone\n")
}

// merge makes a side branch of one commit, and one beside it, and joins them.
func (a *author) merge(tip int) int {
	mine := a.edited()
	theirs := a.edited()
	for theirs == mine {
		theirs = a.edited()
	}
	side := a.commit("topic", []*sourceFile{theirs}, tip)
	tip = a.commit("main", []*sourceFile{mine}, tip)
	return a.commit("main", []*sourceFile{theirs}, tip, side)
}

func (a *author) commit(branch string, changed []*sourceFile, parents ...int) int {
	a.mark++
	fmt.Fprintf(a.w, "commit refs/heads/%s\nmark :%d\nauthor %s\ncommitter %s\n", branch, a.mark, a.who(), a.who())
	a.data(a.line(8) + "\n\n" + a.line(20) + "\n" + a.line(20) + "\n")
	for i, p := range parents {
		fmt.Fprintf(a.w, "%s :%d\n", []string{"from", "merge"}[i], p)
	}
	for _, f := range changed {
		fmt.Fprintf(a.w, "M 100644 inline %s\n", f.path)
		a.data(strings.Join(f.lines, "\n") + "\n")
	}
	return a.mark
}

func (a *author) who() string {
	n := a.mark % 97
	return fmt.Sprintf("Author %d <author%d@example.com> %d +0100", n, n, 1_500_000_000+a.mark*3600)
}

func (a *author) data(text string) { fmt.Fprintf(a.w, "data %d\n%s\n", len(text), text) }

// line is words, of which the first ones are common.
func (a *author) line(words int) string {
	var b strings.Builder
	b.WriteString(strings.Repeat("\t", a.rand.IntN(4)))
	for range 1 + a.rand.IntN(words) {
		b.WriteString(a.words[int(float64(len(a.words))*math.Pow(a.rand.Float64(), 3))])
		b.WriteByte(" (.,"[a.rand.IntN(4)])
	}
	return b.String()
}

// add makes a new file; a third of them lie in the root, as in many old projects.
func (a *author) add() *sourceFile {
	f := &sourceFile{}
	for f.path == "" || a.names[f.path] {
		f.path = a.word() + "-" + a.word() + ".c"
		for range a.rand.IntN(3) {
			f.path = "d" + strconv.Itoa(a.rand.IntN(12)) + "/" + f.path
		}
	}
	a.names[f.path] = true
	for range int(120 * math.Exp(a.rand.NormFloat64())) {
		f.lines = append(f.lines, a.line(8))
	}
	a.files = append(a.files, f)
	return f
}

func (a *author) word() string { return a.words[a.rand.IntN(len(a.words))] }

// edited changes a few lines of a file, some files more often than others.
func (a *author) edited() *sourceFile {
	f := a.files[int(float64(len(a.files))*math.Pow(a.rand.Float64(), 2))]
	at := a.rand.IntN(len(f.lines) + 1)
	gone := min(a.rand.IntN(4), len(f.lines)-at)
	var fresh []string
	for range 1 + a.rand.IntN(4) {
		fresh = append(fresh, a.line(8))
	}
	f.lines = slices.Replace(f.lines, at, at+gone, fresh...)
	return f
}

func (a *author) someEdited() []*sourceFile {
	var changed []*sourceFile
	for range 1 + a.rand.IntN(2) {
		if f := a.edited(); !slices.Contains(changed, f) {
			changed = append(changed, f)
		}
	}
	return changed
}
