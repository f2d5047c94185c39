package repo_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/repo"
)

// What .gitmodules may hold is decided by how git reads it, so it is made of
// everything that git's parser treats in a way of its own.
func TestModulesAsGitJudgesThem(t *testing.T) {
	t.Parallel()
	notShort(t)
	objects := make(map[plumbing.Hash]*judged)
	add := func(text string) {
		h := plumbing.ComputeHash(plumbing.BlobObject, []byte(text))
		objects[h] = &judged{kind: plumbing.BlobObject, data: text}
	}
	for _, text := range moduleTexts {
		add(text)
	}
	rnd := rand.New(rand.NewPCG(3, 9))
	for range 400 {
		add(moduleText(rnd))
	}
	all := make(map[plumbing.Hash]*judged, 2*len(objects))
	for h, o := range objects {
		all[h] = o
		tree := "100644 .gitmodules\x00" + string(h[:])
		all[plumbing.ComputeHash(plumbing.TreeObject, []byte(tree))] = &judged{kind: plumbing.TreeObject, data: tree}
	}
	judge(t, all)
	r := create(t, repo.Options{NoSync: true})
	refused := map[string]int{}
	for _, o := range objects {
		var c crafted
		h := c.object(o.kind, o.data)
		c.object(plumbing.TreeObject, "100644 .gitmodules\x00"+string(h[:]))
		got := verdict(t, r, c.finish())
		want := strings.Join(o.ids, " ")
		if strings.HasPrefix(o.data, "\xef\xbb\xbf") || strings.Contains(o.data, "\x00") {
			// Git's fsck stops at a byte order mark, though what reads a work
			// tree's file does not; and to C a name ends at a NUL.
			want = got
		}
		if want == "" && strings.Contains(strings.ToLower(o.data), "%0a") {
			want = got // git does not decode what stands before a colon; nobody needs line ends there
		}
		if (got == "") != (want == "") || !strings.HasPrefix(want, got) {
			t.Errorf("%q: %q, git says %q", o.data, got, want)
		}
		refused[got]++
	}
	if len(refused) != 5 || refused[""] < 100 {
		t.Errorf("only these were met: %v", refused)
	}
}

var moduleTexts = []string{
	"", "\n", "[", "[submodule", "[submodule \"x", "x = y\n", "[submodule \"x\"] url", "\xef\xbb\xbf[submodule \"x\"]url=-x",
	"[submodule \"x\"]\nurl = -x", "[submodule]\nurl = -x\n", "[submodule.x]\nurl = -x\n", "[SUBmodule \"x\"]\nURL = -x\n",
	"[submodule \"\"]\nurl = x\n", "[submodule \"x\"]\n\turl = \"-x\\\ny\"\n", "[submodule \"a\\/..\\/b\"]\nurl=x\n",
	"[submodule \"x\"]\nurl = ok\n[broken\n[submodule \"..\"]\nurl=-x\n", "[submodule \"..\"]\n[broken\n", "[submodule \"..\"]\nx\n",
	"[other \"..\"]\nurl = -x\n", "[submodule \"x\"]\nurl = x#\n;\npath = -x\n", "[submodule \"x\" ]\nurl=-x\n", "[submodule\t\"x\"]\nurl=-x\n",
	"[submodule \"x\"]\r\nurl = -x\r\n", "[submodule \"x\"]\nurl = \"a\\tb\"\n", "[submodule \"x\"]\nurl = a\\qb\n[submodule \"y\"]\nurl=-x\n",
	"[submodule \"x\"]\npath\n", "[submodule \"x\"]\nurl\n", "[submodule \"x\"]\nupdate\n", "[submodule \"x\"]\nupdate =\n", "[submodule \"x\"]\nurl = \x00-x\n",
	"[submodule \"x\x00y\"]\nurl = -x\n", "[submodule \"x\"]\nu_l = -x\n", "[submodule \"x\"]\n1rl = -x\nurl=-x\n", "[submodule \"x\"]url=-x", "[submodule \"x\"]\\\nurl=-x",
}

func moduleText(rnd *rand.Rand) string {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	var b strings.Builder
	for range 1 + rnd.IntN(2) {
		b.WriteString("[submodule \"" + pick("x", "x", "x", "x", "x", "a/b", "a..b", "..", "../x", "x/..", "x/../y", `x\\..\\y`, `..\\x`, "x..", "...", "", ".", `\"`, "é") + "\"]\n")
		for range 1 + rnd.IntN(3) {
			b.WriteString(pick("", "\t", " ") + pick("url", "url", "url", "path", "update", "URL", "branch"))
			b.WriteString(pick(" = ", " = ", " = ", "=", " ", "\t=\t") + pick("", "", "", "", "\"") + moduleValue(pick) + pick("", "", "", "", "\"", " ; x", " # x", "\\\n", "\\"))
			b.WriteString(pick("\n", "\n", "\n", "\r\n", ""))
		}
	}
	return b.String()
}

func moduleValue(pick func(...string) string) string {
	if pick("", "whole") != "" {
		return pick("https://example.com/x", "../x", "./x", "/x", "-x", "!sh", "!", "checkout", "rebase", "none", "x", "", "git@example.com:x", "file:///x", "ext::sh -c x", "-", " -x")
	}
	return pick("http://", "https://", "ftp://", "ftps://", "git://", "ssh://", "http::", "https::", "https::https://", "http:", "", "../", "./", "../../", "./../", ".././", "HTTP://", "https:/", "http::http::") +
		pick("", "a", "a@b", "@", "a:b@c", ":", ":a", "a:80", "?", "#", "a?b", "%0a", "a%0ab", "%0A", "%00", "%", "%2f", "/", "\\n", "a b", "-", "[::1]", "a@", ":80", "%40", "..", "../:x") +
		pick("", "", "/", "/x", "/x.git", "/%0ahost=y", "//x", "/..", "?q", "#f", "/-x", "/\\t", "/%0", "/%zz")
}

// Files that git gives a meaning to must be files, and .gitattributes short.
func TestNotedFiles(t *testing.T) {
	t.Parallel()
	const blob, tree, commit = plumbing.BlobObject, plumbing.TreeObject, plumbing.CommitObject
	type object struct {
		kind plumbing.ObjectType
		data string
	}
	long := strings.Repeat("x", 2046) + " y\n"
	for name, tt := range map[string]struct {
		entry  string
		target object
		want   string
	}{
		"modules in a directory":    {"40000 .gitmodules", object{tree, ""}, "gitmodulesBlob"},
		"modules on NTFS":           {"40000 gitmod~1", object{tree, ""}, "gitmodulesBlob"},
		"modules as a submodule":    {"160000 .gitmodules", object{}, "gitmodulesMissing"},
		"modules missing":           {"100644 .gitmodules", object{}, "gitmodulesMissing"},
		"attributes in a directory": {"40000 .gitattributes", object{tree, ""}, "gitattributesBlob"},
		"attributes missing":        {"100644 .gitattributes", object{}, "gitattributesMissing"},
		"long line":                 {"100644 .gitattributes", object{blob, long}, "gitattributesLineLength"},
		"long last line":            {"100644 .gitattributes", object{blob, strings.TrimSpace(long)}, "gitattributesLineLength"},
		"line just short enough":    {"100644 .gitattributes", object{blob, long[2:]}, ""},
		"long line, as executable":  {"100755 .GITATTRIBUTES", object{blob, long}, "gitattributesLineLength"},
		"long line, as a link":      {"120000 .gitattributes", object{blob, long}, ""},
		"long line, on NTFS":        {"100644 gitatt~1", object{blob, long}, "gitattributesLineLength"},
		"long line, on HFS":         {"100644 .gitattri\u200cbutes", object{blob, long}, "gitattributesLineLength"},
		"long line elsewhere":       {"100644 gitattributes", object{blob, long}, ""},
		"commit in the place":       {"160000 .gitattributes", object{commit, commitText(anyHash)}, "gitattributesBlob"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := make(map[plumbing.Hash]*judged)
			h := plumbing.NewHash(strings.Repeat("1", 40))
			var c crafted
			if tt.target.kind != 0 {
				h = c.object(tt.target.kind, tt.target.data)
				objects[h] = &judged{kind: tt.target.kind, data: tt.target.data}
			}
			root := tt.entry + "\x00" + string(h[:])
			objects[c.object(tree, root)] = &judged{kind: tree, data: root}
			if tt.target.kind == commit {
				objects[c.object(tree, "")] = &judged{kind: tree}
			}
			if objects[h] == nil {
				objects[h] = &judged{} // git blames what is missing
			}
			judge(t, objects)
			if got := strings.Join(objects[h].ids, " "); got != tt.want {
				t.Errorf("git says %q, want %q", got, tt.want)
			}
			if got := verdict(t, create(t, repo.Options{NoSync: true}), c.finish()); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
