package gitserver

import "strings"

// A gitCommand is what an SSH client may run.
type gitCommand struct {
	service string
	path    string
}

// parseExec parses the line that git sends: a service and one path, which is
// quoted as a shell would want it. Nothing else is a command here, and no shell
// ever sees it.
func parseExec(line string) (gitCommand, error) {
	refused := refuse("only git push, fetch and clone work here, not %q", clip(oneLine(line), 64))
	verb, rest, ok := strings.Cut(line, " ")
	if ok && verb == "git" {
		verb, rest, ok = strings.Cut(rest, " ")
		verb = "git-" + verb
	}
	if verb == "git-upload-archive" {
		return gitCommand{}, refuse("git archive --remote is not served here; clone the repository, then run git archive")
	}
	if !ok || verb != serviceReceive && verb != serviceUpload {
		return gitCommand{}, refused
	}
	path, ok := unquote(rest)
	if !ok {
		return gitCommand{}, refused
	}
	return gitCommand{service: verb, path: path}, nil
}

// unquote undoes the quoting of exactly one word: git's own (each ' as '\”, and \!
// for !), a word in double quotes, or one that needs none.
func unquote(s string) (string, bool) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
		return s, !strings.ContainsAny(s, "\"\\$`")
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
			b.WriteByte(c)
		case c == '\\' && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '!'):
			i++
			b.WriteByte(s[i])
		case isPlain(c):
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	return b.String(), !quoted && b.Len() > 0
}

// isPlain reports whether a shell takes c for itself without quotes.
func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("./_-+:@,%~", c) >= 0
}
