package repo_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// strictIDs are warnings of git's that a server must take for errors.
var strictIDs = []string{
	"hasDot", "hasDotdot", "hasDotgit", "fullPathname", "nullSha1", "emptyName", "zeroPaddedFilemode",
}

// A judged object is one that git has an opinion on.
type judged struct {
	kind plumbing.ObjectType // none if the object is missing
	data string
	ids  []string // what git complains about; "unparsed" if it cannot even read it
}

var fsckLine = regexp.MustCompile(`(?m)^error(?: in \w+ ([0-9a-f]{40}): (\w+): .*|: ([0-9a-f]{40}): object corrupt or missing)$`)

// judge asks git fsck about many objects at once.
func judge(t *testing.T, objects map[plumbing.Hash]*judged) {
	t.Helper()
	dir := bare(t)
	var c crafted
	for _, o := range objects {
		if o.kind != 0 {
			c.object(o.kind, o.data)
		}
	}
	gitIn(t, dir, c.finish(), "index-pack", "--stdin")
	args := []string{"-c", "core.commitGraph=false"}
	for _, id := range strictIDs {
		args = append(args, "-c", "fsck."+id+"=error")
	}
	out, _ := tryGit(t, dir, nil, append(args, "fsck", "--full", "--strict", "--no-dangling", "--no-reflogs")...)
	for _, m := range fsckLine.FindAllSubmatch(out, -1) {
		h := plumbing.NewHash(string(slices.Concat(m[1], m[3])))
		id := "unparsed"
		if len(m[2]) > 0 {
			id = string(m[2])
		}
		if o := objects[h]; o != nil {
			o.ids = append(o.ids, id)
		}
	}
}

// verdict is our complaint about an object, "" if there is none.
func verdict(t *testing.T, r *repo.Repo, pack []byte) string {
	t.Helper()
	q, err := r.Ingest(t.Context(), bytes.NewReader(pack), repo.IngestOptions{EOF: true})
	if err == nil {
		if err := q.Discard(); err != nil {
			t.Fatal(err)
		}
		return ""
	}
	oe, ok := errors.AsType[*repo.ObjectError](err)
	if !ok {
		t.Errorf("Ingest = %v, want an ObjectError", err)
		return "?"
	}
	return oe.ID
}

// Commits, tags, trees and .gitmodules made of good and odd parts are good or
// bad to us as they are to git, for the same reason.
func TestObjectsAsGitJudgesThem(t *testing.T) {
	t.Parallel()
	notShort(t)
	const each = 250
	rnd := rand.New(rand.NewPCG(7, 11))
	objects := make(map[plumbing.Hash]*judged)
	add := func(kind plumbing.ObjectType, data string) plumbing.Hash {
		h := plumbing.ComputeHash(kind, []byte(data))
		objects[h] = &judged{kind: kind, data: data}
		return h
	}
	empty := add(plumbing.TreeObject, "")
	blob := add(plumbing.BlobObject, "x\n")
	parent := add(plumbing.CommitObject, commitText(empty.String()))
	base := slices.Collect(maps.Keys(objects)) // every pack has what may be linked to
	m := &mutator{rnd: rnd, tree: empty, blob: blob, commit: parent}
	for range each {
		add(plumbing.CommitObject, m.commitObject())
		add(plumbing.TagObject, m.tagObject())
		add(plumbing.TreeObject, m.treeObject())
	}
	judge(t, objects)
	r := create(t, repo.Options{NoSync: true})
	var good crafted
	refused := map[string]int{}
	for h, o := range objects {
		if len(o.ids) == 0 && stricter(o) == "" {
			good.object(o.kind, o.data)
			continue
		}
		var c crafted
		for _, b := range base {
			if o := objects[b]; b != h {
				c.object(o.kind, o.data)
			}
		}
		c.object(o.kind, o.data)
		got := verdict(t, r, c.finish())
		refused[got]++
		if len(o.ids) > 0 && !sameFault(o, got) {
			t.Errorf("%s %q: %q, git says %q", o.kind, o.data, got, o.ids)
		}
	}
	if got := verdict(t, r, good.finish()); got != "" {
		t.Errorf("what git likes is refused: %s", got)
	}
	if len(refused) < 25 || good.n < 200 {
		t.Errorf("only %d are good, and only these faults were met: %v", good.n, refused)
	}
}

// sameFault says whether our complaint is one of git's. Of what is wrong with a
// tree, git reads on to find the worst; what is wrong with a date is a matter
// of opinion; and what git cannot even read has no name.
func sameFault(o *judged, got string) bool {
	if strings.Contains(got, "Date") {
		return stricter(o) != "" || slices.ContainsFunc(o.ids, func(id string) bool { return strings.Contains(id, "Date") })
	}
	return got != "" && (o.kind == plumbing.TreeObject || slices.Contains(o.ids, got) || slices.Contains(o.ids, "unparsed"))
}

// stricter says why we refuse what this version of git takes.
func stricter(o *judged) string {
	switch {
	case o.kind == plumbing.TreeObject && hasOddMode(o.data):
		return "to git a device or a mode without a type is odd, but no error"
	case oddDate.MatchString(o.data):
		return "newer git takes neither a sign nor a line end before a date"
	}
	return ""
}

var oddDate = regexp.MustCompile(`> ([ \t]*\n\s*|\s*[+-]|\s+0)\d* `)

func hasOddMode(tree string) bool {
	for tree != "" {
		mode, rest, _ := strings.Cut(tree, " ")
		_, rest, ok := strings.Cut(rest, "\x00")
		if v, err := strconv.ParseUint(mode, 8, 32); err == nil && (len(mode) > 7 || !slices.Contains([]uint64{0o4, 0o10, 0o12, 0o16}, v>>12)) {
			return true
		}
		if !ok || len(rest) < 20 {
			return false
		}
		tree = rest[20:]
	}
	return false
}

// A mutator makes objects that are a little wrong, as a rule.
type mutator struct {
	rnd                *rand.Rand
	tree, blob, commit plumbing.Hash
}

// pick returns the first choice most of the time.
func (m *mutator) pick(good string, odd ...string) string {
	if m.rnd.IntN(12) > 0 {
		return good
	}
	return odd[m.rnd.IntN(len(odd))]
}

func (m *mutator) ident() string {
	return m.pick("A U Thor", "", " ", "A  ", "A>", "A\x00B", "ü") +
		m.pick(" ", "", "  ", "\n", "\t") +
		m.pick("<a@example.com>", "<>", "<a", "a>", "<a<b>", "<a>>", "<a\n>", "", "< a >") +
		m.pick(" ", "", "  ", "\n") +
		m.pick("1700000000", "0", "00", "01", "", "x", "-1", "1x", "9223372036854775807", "9223372036854775806",
			"18446744073709551615", "99999999999999999999", "+1", "1 ") +
		m.pick(" ", "", "  ") +
		m.pick("+0000", "-1200", "+9999", "0000", "+000", "+00000", "+00x0", "", "+0000 ", "-0000x", "+ 000")
}

// bend changes a byte or a line now and then.
func (m *mutator) bend(s string) string {
	if m.rnd.IntN(5) > 0 || s == "" {
		return s
	}
	i := m.rnd.IntN(len(s))
	switch m.rnd.IntN(6) {
	case 0:
		return s[:i]
	case 1:
		return s[:i] + s[i+1:]
	case 2:
		return s[:i] + string(rune(m.rnd.IntN(128))) + s[i:]
	case 3:
		return s[:i] + "\x00" + s[i+1:]
	case 4:
		return s[:i] + "\n" + s[i:]
	}
	lines := strings.SplitAfter(s, "\n")
	j := m.rnd.IntN(len(lines))
	return strings.Join(slices.Insert(lines, j, lines[j]), "")
}

func (m *mutator) hex(h plumbing.Hash) string {
	s := h.String()
	return m.pick(s, s[:39], s+"0", strings.ToUpper(s), "x"+s[1:], "", s+" ")
}

func (m *mutator) commitObject() string {
	var b strings.Builder
	b.WriteString(m.pick("tree ", "", "Tree ", "tree  ", " tree ") + m.hex(m.tree) + "\n")
	for range m.rnd.IntN(3) {
		b.WriteString(m.pick("parent ", "parent", "parents ") + m.hex(m.commit) + "\n")
	}
	for range 1 + m.rnd.IntN(16)/15 {
		b.WriteString(m.pick("author ", "author", "authors ", "") + m.ident() + "\n")
	}
	b.WriteString(m.pick("committer ", "committer", "") + m.ident() + m.pick("\n", "", "\n\n"))
	b.WriteString(m.pick("", "encoding x\n", "gpgsig -----\n x\n", "\x00\n") + "\n" + m.pick("subject\n", "", "a\x00b", "no end"))
	return m.bend(b.String())
}

func (m *mutator) tagObject() string {
	h, kind := m.commit, "commit"
	switch m.rnd.IntN(3) {
	case 0:
		h, kind = m.tree, "tree"
	case 1:
		h, kind = m.blob, "blob"
	}
	var b strings.Builder
	b.WriteString(m.pick("object ", "", "object", "Object ") + m.hex(h) + "\n")
	b.WriteString(m.pick("type ", "", "type") + m.pick(kind, "commi", "", "tag ", "Blob", "x") + m.pick("\n", "", "\n\n"))
	b.WriteString(m.pick("tag ", "", "tag") + m.pick("v1", "", "a b", "x.lock", "a..b", "-x", strings.Repeat("v", 300)) + m.pick("\n", ""))
	if m.rnd.IntN(8) > 0 {
		b.WriteString(m.pick("tagger ", "tagger", "taggers ") + m.ident() + m.pick("\n", "", "\nx y\n"))
	}
	b.WriteString("\n" + m.pick("message\n", "", "\x00"))
	return m.bend(b.String())
}

func (m *mutator) treeObject() string {
	names := []string{
		"a", "a.b", "a-b", "b", "a0", "A", ".gitignore", ".g", "git", "git~2", "x\\y", "ü", "a b", "z", ".gitx", "a\n",
		"con", "aux.txt", "a:b", "é\xff",
	}
	odd := []string{
		"", ".", "..", ".git", ".GIT", ".git ", ".git.", "git~1", "GIT~1", ".g\u200cit", ".git\u200d", ".git:x", "a/b", "/", "a/",
		`a\.git`, `.git\x`, `\.git`, `.git::$INDEX_ALLOCATION`, ".git\xff", "\xff.git", ".git\u00ef", `a\git~1`, ".gi\ufefft", "..\\x",
	}
	type entry struct{ mode, name string }
	var list []entry
	for range 1 + m.rnd.IntN(5) {
		name := names[m.rnd.IntN(len(names))]
		if m.rnd.IntN(14) == 0 {
			name = odd[m.rnd.IntN(len(odd))]
		}
		mode := []string{"100644", "100755", "40000", "120000", "160000"}[m.rnd.IntN(5)]
		list = append(list, entry{m.pick(mode, "040000", "0100644", "100664", "644", "", "60644", "140000", "20644", "10644x", "1", "0", "100000644", "8", "-1", "200000"), name})
	}
	if m.rnd.IntN(10) > 0 {
		slices.SortStableFunc(list, func(a, b entry) int { return strings.Compare(sortName(a.mode, a.name), sortName(b.mode, b.name)) })
		if m.rnd.IntN(8) > 0 {
			list = slices.CompactFunc(list, func(a, b entry) bool { return a.name == b.name })
		}
	}
	var b strings.Builder
	for _, e := range list {
		h := m.blob
		if e.mode == "40000" || e.mode == "040000" {
			h = m.tree
		}
		if m.rnd.IntN(30) == 0 {
			h = plumbing.ZeroHash
		}
		fmt.Fprintf(&b, "%s %s\x00%s", e.mode, e.name, h[:])
	}
	return m.bend(b.String())
}

// sortName is what git sorts entries by.
func sortName(mode, name string) string {
	if strings.HasSuffix(mode, "40000") {
		return name + "/"
	}
	return name
}
