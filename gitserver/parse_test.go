package gitserver

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

func testServer(tb testing.TB) *Server {
	tb.Helper()
	return &Server{cfg: Config{MaxCommands: 10, MaxOptions: 3, MaxWants: 20}.withDefaults()}
}

func packets(lines ...string) []byte {
	var b []byte
	for _, l := range lines {
		switch l {
		case "0000", "0001", "0002":
			b = append(b, l...)
		default:
			b = pktline.Append(b, l)
		}
	}
	return b
}

const (
	hashA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	hash0 = "0000000000000000000000000000000000000000"
)

func TestReadPush(t *testing.T) {
	t.Parallel()
	command := hash0 + " " + hashA + " refs/heads/main"
	for _, c := range []struct {
		name string
		in   []byte
		want string // in the error; "" for none
		left string // unread behind the request
	}{
		{"nothing", nil, "hung up", ""},
		{"a flush packet", packets("0000"), "", ""},
		{"a command", append(packets(command+"\x00report-status atomic\n", "0000"), "PACK"...), "", "PACK"},
		{"empty options", append(packets(command+"\x00push-options", "0000", "0000"), "PACK"...), "", "PACK"},
		{"a shallow clone", packets("shallow "+hashB, command+"\x00 report-status", "0000"), "", ""},
		{"cut off", packets(command + "\x00report-status"), "unexpected EOF", ""},
		{"cut off options", packets(command+"\x00push-options", "0000", "a"), "unexpected EOF", ""},
		{"capabilities twice", packets(command+"\x00atomic", command+"\x00atomic", "0000"), "not the first", ""},
		{"big hash", packets(hash0 + hash0 + " " + hashA + " refs/heads/main"), "malformed command", ""},
		{"capital hash", packets(strings.ToUpper(hashA) + " " + hashB + " refs/heads/main"), "malformed command", ""},
		{"no ref", packets(hash0 + " " + hashA + " "), "malformed command", ""},
		{"long ref", packets(hash0 + " " + hashA + " refs/heads/" + strings.Repeat("a", 2000)), "longer than", ""},
		{"bad shallow", packets("shallow x"), "malformed shallow", ""},
		{"delimiter", packets("0001"), "unexpected packet", ""},
		{"certificate", packets("push-cert\x00report-status"), "--no-signed", ""},
		{"sha256", packets(command+"\x00object-format=sha256", "0000"), "sha256", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := bytes.NewReader(c.in)
			_, err := testServer(t).readPush(in)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("readPush() = %v, want %q", err, c.want)
			}
			if rest, _ := io.ReadAll(in); err == nil && string(rest) != c.left {
				t.Errorf("left over: %q, want %q", rest, c.left)
			}
		})
	}
}

func TestParseExec(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]gitCommand{
		"git-receive-pack '/shop.git'":    {serviceReceive, "/shop.git"},
		"git-upload-pack 'shop'":          {serviceUpload, "shop"},
		"git upload-pack 'shop'":          {serviceUpload, "shop"},
		"git-upload-pack shop":            {serviceUpload, "shop"},
		`git-upload-pack "shop"`:          {serviceUpload, "shop"},
		`git-upload-pack 'it'\''s'\!'me'`: {serviceUpload, "it's!me"},
	} {
		if got, err := parseExec(line); err != nil || got != want {
			t.Errorf("parseExec(%q) = %v, %v, want %v", line, got, err, want)
		}
	}
	for _, line := range []string{
		"", " ", "git", "git-receive-pack", "git-receive-pack ", "git-receive-pack ''", "git-receive-pack  shop",
		"git-receive-pack 'shop'x y", "git-receive-pack shop\n", "git-receive-pack 'shop", `git-receive-pack "a$b"`,
		"git  receive-pack shop", "GIT-RECEIVE-PACK shop", "git-receive-pack shop;id", "git-receive-pack\tshop",
	} {
		if got, err := parseExec(line); err == nil {
			t.Errorf("parseExec(%q) = %v, want an error", line, got)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	got := string(formatReport("ok", []verdict{
		{cmd: Command{Ref: "refs/heads/a"}}, {cmd: Command{Ref: "refs/heads/b"}, reason: "two\nlines\x1b[31m"},
	}))
	want := string(packets("unpack ok\n", "ok refs/heads/a\n", "ng refs/heads/b two lines [31m\n", "0000"))
	if got != want {
		t.Errorf("formatReport() = %q, want %q", got, want)
	}
}

func FuzzReadPush(f *testing.F) {
	f.Add(packets(hash0+" "+hashA+" refs/heads/main\x00report-status side-band-64k push-options", "0000", "x", "0000"))
	f.Add(packets("shallow "+hashB, hashA+" "+hash0+" refs/heads/x\x00atomic", "0000"))
	f.Add(packets("push-cert\x00", "0000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := testServer(t)
		req, err := s.readPush(bytes.NewReader(in))
		if req == nil {
			t.Fatal("no request")
		}
		if len(req.commands) > s.cfg.MaxCommands || len(req.options) > s.cfg.MaxOptions || len(req.shallow) > s.cfg.MaxWants {
			t.Error("a limit was passed")
		}
		for _, c := range req.commands {
			if c.Ref == "" || len(c.Ref) > maxRefName || strings.ContainsRune(c.Ref, 0) {
				t.Errorf("ref %q", c.Ref)
			}
		}
		_ = err
	})
}

func FuzzReadV2(f *testing.F) {
	f.Add(packets("command=ls-refs\n", "agent=git/2", "object-format=sha1", "0001", "peel\n", "symrefs", "ref-prefix refs/heads/", "0000"))
	f.Add(packets("command=fetch", "0001", "want "+hashA, "have "+hashB, "done", "ofs-delta", "thin-pack", "0000"))
	f.Add(packets("command=fetch", "0001", "deepen 1", "filter blob:none", "0000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := testServer(t)
		r := pktline.NewReader(bytes.NewReader(in))
		for {
			req, err := s.readV2(r)
			if err != nil {
				return
			}
			if req.command == "" || len(req.args) > s.cfg.MaxWants {
				t.Errorf("request %+v", req)
			}
			if o, err := parseLsRefs(req.args); err == nil {
				o.matches("refs/heads/main")
			}
		}
	})
}

// FuzzFetch parses and answers the arguments of a fetch, one a line, from a
// repository without anything in it.
func FuzzFetch(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "shop.git")
	if err := repo.Create(dir); err != nil {
		f.Fatal(err)
	}
	r, err := repo.Open(dir, repo.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = r.Close() })
	f.Add("want " + hashA + "\nhave " + hashB + "\ndone")
	f.Add("wait-for-done\nhave " + hashB + "\nshallow " + hashA + "\ndeepen 3\ndeepen-relative")
	f.Add("wait-for-done\ndeepen-since 1\ndeepen-not refs/heads/main\nfilter combine:blob:none+tree:3\nwant-ref HEAD")
	f.Fuzz(func(t *testing.T, lines string) {
		n := newNegotiation(r, nil)
		o, err := parseFetch(n, strings.Split(lines, "\n"))
		if err != nil {
			return
		}
		if len(n.wants) > 0 {
			t.Errorf("wants %v, of an empty repository", n.wants)
		}
		var out bytes.Buffer
		_, err = answerFetch(t.Context(), pktline.NewWriter(&out), n, o)
		if text, ok := knownWords(t.Context(), &call{}, err); err != nil && !ok {
			t.Errorf("answerFetch() = %v, without words: %q", err, text)
		}
	})
}

func FuzzParseExec(f *testing.F) {
	f.Add("git-receive-pack '/shop.git'")
	f.Add(`git upload-pack 'it'\''s'`)
	f.Fuzz(func(t *testing.T, line string) {
		cmd, err := parseExec(line)
		if err != nil {
			return
		}
		if name, err := repositoryName(cmd.path); err == nil && !ValidName(name) {
			t.Errorf("parseExec(%q): name %q", line, name)
		} else if err != nil && !errors.Is(err, ErrName) {
			t.Errorf("parseExec(%q): %v", line, err)
		}
	})
}

func FuzzRouteOf(f *testing.F) {
	f.Add("/shop.git/info/refs")
	f.Add("/../x/git-upload-pack")
	f.Fuzz(func(t *testing.T, path string) {
		to, ok := routeOf(path)
		if !ok {
			return
		}
		if name, err := repositoryName(to.repo); err == nil && !ValidName(name) {
			t.Errorf("routeOf(%q): name %q", path, name)
		}
	})
}
