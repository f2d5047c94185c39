package gitserver_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/gitserver/pktline"
)

// A past is a repository of the server with branches, merges, tags of all
// kinds, trees that turn up at several depths, and blobs of several sizes.
type past struct {
	w    *world
	name string
	dir  string
	rev  map[string]string // by the names used in requests, such as {main~3}
}

// newPast makes a repository from a seed, by git itself.
func newPast(t *testing.T, w *world, name string, seed uint64, commits int) *past {
	t.Helper()
	p := &past{w: w, name: name, dir: filepath.Join(w.dir, name+".git"), rev: map[string]string{}}
	w.git(w.dir, "init", "-q", "--bare", p.dir)
	cmd := w.command(p.dir, "fast-import", "--quiet")
	cmd.Stdin = strings.NewReader(pastStream(seed, commits))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	for _, args := range [][]string{
		{"tag", "-a", "-m", "one", "v1", "main~7"},
		{"tag", "-a", "-m", "a tag of a tag", "v1-again", "v1"},
		{"tag", "-a", "-m", "a blob", "blob", "main:README"},
		{"tag", "-a", "-m", "a tree", "tree", "main:dir"},
		{"tag", "light", "main~3"},
		{"update-ref", "refs/internal/x", "side~2"},
	} {
		w.git(p.dir, args...)
	}
	return p
}

// pastStream is what git fast-import reads.
func pastStream(seed uint64, commits int) string {
	r := mathrand.New(mathrand.NewPCG(seed, 7))
	var b strings.Builder
	data := func(s string) { fmt.Fprintf(&b, "data %d\n%s\n", len(s), s) }
	last := map[string]int{}
	for i := 1; i <= commits; i++ {
		branch := "main"
		if i > 8 && r.IntN(3) == 0 {
			branch = "side"
		}
		fmt.Fprintf(&b, "commit refs/heads/%s\nmark :%d\ncommitter C <c@example.com> %d +0000\n", branch, i, 1_700_000_000+i*1000)
		data(fmt.Sprint("commit ", i))
		other := map[string]string{"main": "side", "side": "main"}[branch]
		switch {
		case last[branch] == 0 && branch == "side":
			fmt.Fprintf(&b, "from :%d\n", max(1, i-4))
		case last[other] != 0 && last[branch] != 0 && r.IntN(4) == 0:
			fmt.Fprintf(&b, "merge :%d\n", last[other])
		}
		last[branch] = i
		if i == 1 {
			b.WriteString("M 100644 inline dir/sub/b\n")
			data("the first")
		}
		for range 1 + r.IntN(3) {
			path := []string{"README", "dir/a", "dir/sub/b", "other/c", "dir/sub/deep/d"}[r.IntN(5)]
			fmt.Fprintf(&b, "M 100644 inline %s\n", path)
			data(strings.Repeat(fmt.Sprintf("%d of commit %d\n", r.IntN(5), i), 1+r.IntN(60)))
		}
		if i%9 == 5 { // the same tree, less deep
			b.WriteString("C dir/sub copied\n")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// expand replaces {name} with the object that git finds by that name.
func (p *past) expand(t *testing.T, line string) string {
	t.Helper()
	before, rest, ok := strings.Cut(line, "{")
	if !ok {
		return line
	}
	name, after, _ := strings.Cut(rest, "}")
	if p.rev[name] == "" {
		p.rev[name] = p.w.rev(p.dir, name)
	}
	return p.expand(t, before+p.rev[name]+after)
}

func wirePackets(lines ...string) []byte {
	var b []byte
	for _, l := range lines {
		if len(l) == 4 && strings.HasPrefix(l, "000") {
			b = append(b, l...)
		} else {
			b = pktline.Append(b, l)
		}
	}
	return b
}

// theirs is how git's own upload-pack answers.
func (p *past) theirs(t *testing.T, version string, request []byte) []byte {
	t.Helper()
	cmd := p.w.command(p.dir, "-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowRefInWant=true",
		"-c", "uploadpack.allowAnySHA1InWant=true", "-c", "transfer.advertiseObjectInfo=true", "-c", "pack.useSparse=false",
		"upload-pack", "--stateless-rpc", p.dir)
	cmd.Env = append(cmd.Env, "GIT_PROTOCOL=version="+version)
	cmd.Stdin = bytes.NewReader(request)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git upload-pack: %v\n%s", err, &errs)
	}
	return out
}

// ours is how the server answers.
func (p *past) ours(t *testing.T, version string, request []byte) []byte {
	t.Helper()
	resp := p.w.do(t, http.MethodPost, "/"+p.name+".git/git-upload-pack", bytes.NewReader(request),
		"Content-Type", "application/x-git-upload-pack-request", "Git-Protocol", "version="+version)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("POST: %s, %v\n%s", resp.Status, err, out)
	}
	return out
}

// An answer is the lines before the pack, and the pack's objects.
type answer struct {
	lines   []string
	objects []string
}

func (p *past) read(t *testing.T, out []byte) answer {
	t.Helper()
	var a answer
	var pack bytes.Buffer
	r := pktline.NewReader(bytes.NewReader(out))
	for {
		kind, line, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return p.unpack(t, a, pack.Bytes())
		case err != nil:
			t.Fatalf("read answer: %v\n%.300q", err, out)
		case kind != pktline.Data:
			a.lines = append(a.lines, kind.String())
		case len(line) > 0 && line[0] == 1:
			pack.Write(line[1:])
		case len(line) > 0 && line[0] == 2: // progress
		default:
			a.lines = append(a.lines, strings.TrimSuffix(string(line), "\n"))
		}
	}
}

// unpack lists the objects of a pack that needs no others.
func (p *past) unpack(t *testing.T, a answer, pack []byte) answer {
	t.Helper()
	// Where history ends is told in any order.
	for i := range a.lines {
		j := i
		for ; j < len(a.lines) && strings.Contains(a.lines[j], "shallow "); j++ {
		}
		slices.Sort(a.lines[i:j])
	}
	a.lines = slices.Compact(a.lines) // git may tell of a commit twice
	if len(pack) == 0 {
		return a
	}
	if len(pack) < 32 || string(pack[:4]) != "PACK" {
		t.Fatalf("no pack: %.100q", pack)
	}
	count := int(binary.BigEndian.Uint32(pack[8:]))
	if count == 0 {
		return a // index-pack would not take it
	}
	home := t.TempDir()
	p.w.git(home, "init", "-q", "--bare")
	// The bases of a thin pack.
	if err := os.WriteFile(filepath.Join(home, "objects/info/alternates"), []byte(filepath.Join(p.dir, "objects")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := p.w.command(home, "index-pack", "--stdin", "--fix-thin")
	cmd.Stdin = bytes.NewReader(pack)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git index-pack: %v\n%s", err, out)
	}
	_, sum, _ := strings.Cut(strings.TrimSpace(string(out)), "\t")
	idx, err := os.ReadFile(filepath.Join(home, "objects/pack/pack-"+sum+".idx"))
	if err != nil {
		t.Fatal(err)
	}
	cmd = p.w.command(home, "show-index")
	cmd.Stdin = bytes.NewReader(idx)
	if out, err = cmd.Output(); err != nil {
		t.Fatal(err)
	}
	// The bases were added at the end.
	type entry struct {
		off  int
		name string
	}
	var entries []entry
	for line := range strings.Lines(string(out)) {
		var e entry
		if _, err := fmt.Sscan(line, &e.off, &e.name); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.off - b.off })
	for _, e := range entries[:count] {
		a.objects = append(a.objects, e.name)
	}
	return a
}

// same compares two answers.
func same(t *testing.T, ours, theirs answer) {
	t.Helper()
	if !slices.Equal(ours.lines, theirs.lines) {
		t.Errorf("answer:\n%s\nwant, as git says:\n%s", strings.Join(ours.lines, "\n"), strings.Join(theirs.lines, "\n"))
	}
	for _, o := range ours.objects {
		if !slices.Contains(theirs.objects, o) {
			t.Errorf("%s was sent; git does not send it", o)
		}
	}
	for _, o := range theirs.objects {
		if !slices.Contains(ours.objects, o) {
			t.Errorf("%s was not sent; git sends it", o)
		}
	}
}

// TestFetchAsGit asks the server and git's own upload-pack for the same.
func TestFetchAsGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := newPast(t, w, "shop", 1, 60)
	for name, args := range map[string][]string{
		"everything":                     {"want {main}", "want {side}", "want {v1-again}", "done"},
		"depth 1":                        {"want {main}", "deepen 1", "done"},
		"depth 3 of two branches":        {"want {main}", "want {side}", "deepen 3", "done"},
		"more depth than there is":       {"want {main}", "deepen 1000", "done"},
		"depth from a tag":               {"want {v1-again}", "deepen 2", "include-tag", "done"},
		"depth of a blob":                {"want {blob}", "deepen 2", "done"},
		"hexadecimal depth":              {"want {main}", "deepen 0x2", "done"},
		"infinite depth":                 {"want {main}", "deepen 2147483647", "done"},
		"deeper":                         {"want {main}", "have {main}", "shallow {main~2}", "deepen 5", "done"},
		"less deep":                      {"want {main}", "have {main~2}", "shallow {main~6}", "deepen 2", "done"},
		"relative":                       {"want {main}", "have {main}", "shallow {main~2}", "deepen 2", "deepen-relative", "done"},
		"unshallow":                      {"want {main}", "have {main}", "shallow {main~2}", "deepen 2147483647", "done"},
		"unshallow a merge":              {"want {main}", "have {main}", "shallow {main}", "deepen 2147483647", "done"},
		"since":                          {"want {main}", "deepen-since 1700040000", "done"},
		"since, with a boundary":         {"want {main}", "have {main~1}", "shallow {main~1}", "deepen-since 1700020000", "done"},
		"since the beginning":            {"want {main}", "deepen-since 1", "done"},
		"not a branch":                   {"want {main}", "deepen-not side", "done"},
		"not a tag, by its full name":    {"want {main}", "want {side}", "deepen-not refs/tags/v1", "done"},
		"not two, and since":             {"want {main}", "deepen-not v1", "deepen-not light", "deepen-since 1700030000", "done"},
		"into a shallow clone":           {"want {main}", "have {main~4}", "shallow {main~4}", "done"},
		"another branch into one":        {"want {side}", "have {main}", "shallow {main~2}", "done"},
		"unknown boundary":               {"want {main}", "have {main~4}", "shallow " + strings.Repeat("1", 40), "shallow {main~4}", "done"},
		"acknowledged":                   {"want {main}", "have {main~4}", "shallow {main~4}", "deepen 3"},
		"nothing in common":              {"want {main}", "have " + strings.Repeat("1", 40)},
		"nothing in common, done":        {"want {main}", "have " + strings.Repeat("1", 40), "done"},
		"ready":                          {"want {main}", "have {main~4}", "have {side~2}"},
		"wait for done":                  {"want {main}", "have {main~4}", "wait-for-done"},
		"wait for done without a want":   {"have {main~4}", "have " + strings.Repeat("1", 40), "wait-for-done"},
		"waited for done":                {"want {main}", "have {main~4}", "wait-for-done", "done"},
		"no want":                        {"have {main~4}"},
		"a ref by name":                  {"want-ref refs/heads/main", "done"},
		"two refs at one commit":         {"want-ref HEAD", "include-tag", "done"},
		"tags of what is sent":           {"want {main}", "include-tag", "done"},
		"tags of what is sent, shallow":  {"want {main}", "include-tag", "deepen 8", "done"},
		"no blobs":                       {"want {main}", "want {side}", "filter blob:none", "done"},
		"no blobs but one":               {"want {main}", "want {main:README}", "filter blob:none", "done"},
		"no blobs, shallow":              {"want {main}", "filter blob:none", "deepen 2", "done"},
		"no blobs, with a have":          {"want {main}", "have {main~9}", "filter blob:none", "done"},
		"small blobs":                    {"want {main}", "filter blob:limit=300", "done"},
		"blobs of a kilobyte":            {"want {main}", "filter blob:limit=1k", "done"},
		"blobs of nothing":               {"want {main}", "filter blob:limit=0", "done"},
		"no trees":                       {"want {main}", "want {v1}", "include-tag", "filter tree:0", "done"},
		"root trees":                     {"want {main}", "filter tree:1", "done"},
		"two levels":                     {"want {main}", "filter tree:2", "done"},
		"three levels":                   {"want {main}", "filter tree:3", "done"},
		"three levels, with a have":      {"want {main}", "have {main~9}", "filter tree:3", "done"},
		"all levels":                     {"want {main}", "filter tree:100", "done"},
		"a tree, no deeper":              {"want {main:dir}", "filter tree:0", "done"},
		"a tree, one level":              {"want {main:dir}", "filter tree:1", "done"},
		"a tree, two levels":             {"want {main:dir}", "filter tree:2", "done"},
		"a tree without blobs":           {"want {main:dir}", "filter blob:none", "done"},
		"blobs and a tree by name":       {"want {main:README}", "want {main:dir/sub}", "want {main~5:dir}", "filter blob:none", "done"},
		"only commits":                   {"want {main}", "filter object:type=commit", "done"},
		"only trees":                     {"want {main}", "filter object:type=tree", "done"},
		"only blobs":                     {"want {main}", "filter object:type=blob", "done"},
		"only tags":                      {"want {v1-again}", "include-tag", "filter object:type=tag", "done"},
		"combined":                       {"want {main}", "filter combine:tree:3+blob:none", "done"},
		"combined, encoded":              {"want {main}", "filter combine:object:type%3Dblob+blob:limit%3D400", "done"},
		"combined with itself":           {"want {main}", "filter combine:combine:tree:3%2btree:2+tree:4", "done"},
		"combined to nothing":            {"want {main}", "filter combine:object:type%3Dblob+object:type%3Dtree", "done"},
		"a have that is a want's parent": {"want {main}", "have {main~1}", "done"},
		"a have of another branch":       {"want {main}", "have {side}", "done"},
	} {
		lines := []string{"command=fetch", "object-format=sha1", "0001", "thin-pack", "ofs-delta", "no-progress"}
		for _, a := range args {
			lines = append(lines, p.expand(t, a))
		}
		request := wirePackets(append(lines, "0000")...)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, p.read(t, p.ours(t, "2", request)), p.read(t, p.theirs(t, "2", request)))
		})
	}
}

// TestOldFetchAsGit does so in protocol v0, where the conversation is another.
func TestOldFetchAsGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := newPast(t, w, "shop", 2, 40)
	const caps = " multi_ack_detailed side-band-64k thin-pack ofs-delta no-progress filter"
	for name, lines := range map[string][]string{
		"everything":            {"want {main}" + caps, "want {side}", "0000", "done"},
		"depth 1, first":        {"want {main}" + caps, "deepen 1", "0000"},
		"depth 1, then":         {"want {main}" + caps, "deepen 1", "0000", "done"},
		"relative":              {"want {main}" + caps + " deepen-relative", "shallow {main~2}", "deepen 2", "0000", "have {main}", "0000"},
		"relative, then":        {"want {main}" + caps + " deepen-relative", "shallow {main~2}", "deepen 2", "0000", "have {main}", "done"},
		"since":                 {"want {main}" + caps, "deepen-since 1700030000", "0000", "done"},
		"not":                   {"want {main}" + caps, "deepen-not v1", "0000", "done"},
		"shallow before want":   {"shallow {main~4}", "want {main}" + caps, "0000", "have {main~4}", "done"},
		"unshallow":             {"want {main}" + caps, "shallow {main~2}", "deepen 2147483647", "0000", "have {main}", "done"},
		"into a shallow clone":  {"want {main}" + caps, "shallow {main~4}", "0000", "have {main~4}", "done"},
		"no blobs":              {"want {main}" + caps, "filter blob:none", "0000", "done"},
		"common":                {"want {main}" + caps, "0000", "have {main~4}", "0000"},
		"ready":                 {"want {main}" + caps, "0000", "have {main~4}", "have " + strings.Repeat("1", 40), "0000"},
		"no done":               {"want {main}" + caps + " no-done", "0000", "have {main~4}", "0000"},
		"no done, not ready":    {"want {main}" + caps + " no-done", "0000", "have " + strings.Repeat("1", 40), "0000"},
		"no done, one unknown":  {"want {main}" + caps + " no-done", "0000", "have {main~4}", "have " + strings.Repeat("1", 40), "0000"},
		"without multi_ack":     {"want {main} side-band-64k ofs-delta", "0000", "have {main~4}", "have {side~5}", "0000"},
		"with multi_ack":        {"want {main} multi_ack side-band-64k", "0000", "have {main~4}", "have " + strings.Repeat("1", 40), "0000"},
		"tags of what is sent":  {"want {main} side-band-64k include-tag", "0000", "done"},
		"an old commit by name": {"want {main~9} side-band-64k", "0000", "done"},
	} {
		var expanded []string
		for _, l := range lines {
			expanded = append(expanded, p.expand(t, l))
		}
		request := wirePackets(expanded...)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, p.read(t, p.ours(t, "0", request)), p.read(t, p.theirs(t, "0", request)))
		})
	}
}

// TestRefsAsGit lists refs.
func TestAdvertisesRefsAsGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	attached, detached, empty := newPast(t, w, "shop", 8, 12), newPast(t, w, "detached", 9, 12), newPast(t, w, "empty", 10, 12)
	w.git(attached.dir, "symbolic-ref", "refs/heads/alias", "refs/heads/side")
	w.git(attached.dir, "pack-refs", "--all")
	w.git(attached.dir, "tag", "-a", "-m", "loose", "loose", "main")
	w.git(detached.dir, "update-ref", "--no-deref", "HEAD", "main~2")
	w.git(empty.dir, "symbolic-ref", "HEAD", "refs/heads/unborn")
	for name, args := range map[string][]string{
		"all":            {},
		"peeled":         {"peel"},
		"symbolic":       {"symrefs", "peel"},
		"branches":       {"symrefs", "ref-prefix refs/heads/"},
		"HEAD":           {"symrefs", "ref-prefix HEAD"},
		"part of a name": {"peel", "ref-prefix refs/tags/v1", "ref-prefix refs/heads/ma"},
		"unborn":         {"symrefs", "unborn"},
		"nothing":        {"ref-prefix refs/none/"},
	} {
		for _, p := range []*past{attached, detached, empty} {
			request := wirePackets(append(append([]string{"command=ls-refs", "object-format=sha1", "0001"}, args...), "0000")...)
			t.Run(name+" of "+p.name, func(t *testing.T) {
				t.Parallel()
				ours, theirs := p.read(t, p.ours(t, "2", request)), p.read(t, p.theirs(t, "2", request))
				slices.Sort(ours.lines)
				slices.Sort(theirs.lines)
				same(t, ours, theirs)
			})
		}
	}
}

// TestRandomFetchesAsGit asks for what nobody thought of.
func TestRandomFetchesAsGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	pasts := make([]*past, 4)
	for i := range pasts {
		pasts[i] = newPast(t, w, fmt.Sprint("past", i), uint64(i), 30)
	}
	for seed := range uint64(32) {
		p := pasts[seed%4]
		r := mathrand.New(mathrand.NewPCG(seed, 11))
		args := randomFetch(r)
		lines := []string{"command=fetch", "object-format=sha1", "0001", "thin-pack", "ofs-delta", "no-progress"}
		for _, a := range args {
			lines = append(lines, p.expand(t, a))
		}
		request := wirePackets(append(lines, "done", "0000")...)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			same(t, p.read(t, p.ours(t, "2", request)), p.read(t, p.theirs(t, "2", request)))
			if t.Failed() {
				t.Log(strings.Join(args, "\n"))
			}
		})
	}
}

func randomFetch(r *mathrand.Rand) []string {
	commit := func() string {
		return fmt.Sprintf("{%s~%d}", []string{"main", "side"}[r.IntN(2)], r.IntN(6))
	}
	args := []string{"want {main}"}
	for range r.IntN(3) {
		args = append(args, "want "+[]string{commit(), "{v1}", "{v1-again}", "{tree}", "{blob}"}[r.IntN(5)])
	}
	// Of two haves git forgets the one that is a parent of the other.
	if r.IntN(2) == 0 {
		args = append(args, "have "+commit())
	}
	for range r.IntN(3) {
		args = append(args, "shallow "+commit())
	}
	args = append(args, [][]string{
		nil,
		{fmt.Sprint("deepen ", 1+r.IntN(12))},
		{fmt.Sprint("deepen ", 1+r.IntN(4)), "deepen-relative"},
		{"deepen 2147483647"},
		{fmt.Sprint("deepen-since ", 1_700_000_000+r.IntN(30)*1000)},
		{"deepen-not v1"},
		{"deepen-not light", fmt.Sprint("deepen-since ", 1_700_000_000+r.IntN(20)*1000)},
	}[r.IntN(7)]...)
	if filters := []string{
		"blob:none", "blob:limit=200", "tree:0", "tree:1", "tree:2", "tree:3", "object:type=commit", "combine:tree:2+blob:none",
	}; r.IntN(2) == 0 && !strings.Contains(strings.Join(args, " "), "{tree}") && !strings.Contains(strings.Join(args, " "), "{blob}") {
		// The blob that a tag leads to is sent by us, if a filter lets us forget that the reader has it.
		args = append(args, "filter "+filters[r.IntN(len(filters))])
	}
	// Where the reader has something, git sends tags of that, too.
	if all := strings.Join(args, " "); r.IntN(2) == 0 && !strings.Contains(all, "have") && !strings.Contains(all, "shallow") {
		args = append(args, "include-tag")
	}
	return args
}
