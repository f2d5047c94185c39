package buildpacks

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	procfileName = "Procfile"
	maxProcesses = 200
	maxTypeName  = 63
)

// A Procfile is the process types that an app declares.
type Procfile struct {
	Processes []Process // in order; a type that is declared twice has its last command
	Warnings  []Warning // keys corrected, keys declared twice, no process at all
}

// ParseProcfile reads a Procfile: `type: command` lines, blank lines, and
// comments, which begin with `#`. A type is 1 to 63 of a-z, 0-9 and `-`, with
// neither end a dash; capitals, underscores and indentation are corrected with
// a warning. Anything else is a [*DetectError] that names the line, as are
// comments and blank lines without a process, and blanks behind the last line:
// Heroku refuses them too. An empty file is a warning.
//
// The default process is web, or else the only one.
func ParseProcfile(data []byte) (*Procfile, error) {
	if bad := procfileEncoding(data); bad != nil {
		return nil, bad
	}
	p := &Procfile{}
	n := -1
	for line := range strings.Lines(string(data)) {
		n++
		whole, ended := strings.CutSuffix(line, "\n")
		if ended {
			line = strings.TrimSuffix(whole, "\r")
		}
		text := strings.TrimLeft(line, " \t")
		if strings.Contains(text, "\r") { // would hide what an old Mac's editor has on lines of their own
			return nil, badProcfile(n+1, line, "it has a lone carriage return in it")
		}
		switch {
		case text == "" && !ended:
			return nil, badProcfile(n+1, line, "it has blanks only, and no end")
		case text == "" || text[0] == '#':
			continue
		}
		if bad := p.add(line, n+1); bad != nil {
			return nil, bad
		}
	}
	if len(p.Processes) == 0 && len(data) > 0 {
		return nil, badProcfile(n+1, "", "it is the last, and no line before it declares a process")
	}
	if len(p.Processes) == 0 {
		p.warn("procfile::empty", `Warning: The Procfile declares no processes.

Your app's Procfile has no line like this one:
web: COMMAND`)
	}
	for i := range p.Processes {
		p.Processes[i].Default = p.Processes[i].Type == "web" || len(p.Processes) == 1
	}
	return p, nil
}

func (p *Procfile) add(line string, n int) *DetectError {
	original, rest, ok := strings.Cut(line, ":")
	if !ok {
		return badProcfile(n, line, "it has no ':' between the process type and its command")
	}
	key := strings.Map(lower, strings.TrimLeft(original, " \t"))
	if why := badType(key); why != "" {
		return badProcfile(n, line, why)
	}
	command := strings.TrimLeft(rest, " \t")
	if command == "" {
		return badProcfile(n, line, "it has no command after the ':'")
	}
	if strings.Contains(command, "\x00") {
		return badProcfile(n, line, "its command has a NUL in it")
	}
	if key != original {
		p.warn("procfile::corrected", "Warning: Procfile key `%s` has been corrected to `%s`.\n\nPlease update line %d of your Procfile.",
			visible(original), key, n)
	}
	proc := Process{Type: key, Command: command, Line: n}
	i := slices.IndexFunc(p.Processes, func(other Process) bool { return other.Type == key })
	if i < 0 {
		if len(p.Processes) == maxProcesses {
			return badProcfile(n, line, fmt.Sprintf("more than %d process types are declared", maxProcesses))
		}
		p.Processes = append(p.Processes, proc)
		return nil
	}
	p.warn("procfile::duplicate", "Warning: Duplicate key `%s` found in your Procfile.\n\nLines %d and %d declare it. The command of line %d will be used.",
		key, p.Processes[i].Line, n, n)
	p.Processes[i] = proc
	return nil
}

// lower corrects a character of a process type: of the letters only ASCII's.
func lower(r rune) rune {
	switch {
	case r == '_':
		return '-'
	case r >= 'A' && r <= 'Z':
		return r - 'A' + 'a'
	default:
		return r
	}
}

func (p *Procfile) warn(id, format string, args ...any) {
	p.Warnings = append(p.Warnings, Warning{ID: id, Lines: lines(format, args...)})
}

// badType says what is wrong with a process type, "" if nothing is.
func badType(key string) string {
	switch {
	case key == "":
		return "it has no process type before the ':'"
	case len(key) > maxTypeName:
		return fmt.Sprintf("its process type is longer than %d characters", maxTypeName)
	}
	for i, r := range key {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		switch {
		case letter, r == '-' && i > 0 && i < len(key)-1:
		case r == '-':
			return "its process type begins or ends with '-'"
		default:
			return fmt.Sprintf("its process type has the character %q", r)
		}
	}
	return ""
}

func procfileEncoding(data []byte) *DetectError {
	if utf8.Valid(data) && !bytes.HasPrefix(data, []byte("\uFEFF")) {
		return nil
	}
	name, _ := encoding(data)
	return &DetectError{
		ID: "procfile::invalid-encoding", File: procfileName,
		Lines: lines(`Error: Unable to read Procfile.

Your Procfile couldn't be read because it's using an unsupported
text encoding:
%s

Configure your editor to save files as UTF-8, without a BOM,
then delete and recreate the file using the correct encoding.`, name),
	}
}

const procfileUnreadable = "procfile::unreadable"

const procfileUnreadableText = `Warning: Procfile is not a readable file.

Your app's Procfile was ignored since it is not a file, but:
%s

Check that it is a plain file, or a link to one inside your app.`

func badProcfile(n int, line, why string) *DetectError {
	return &DetectError{
		ID: "procfile::invalid", File: procfileName, Line: n,
		Lines: lines(`Error: Invalid Procfile format.

Line %d of your Procfile can't be understood, because
%s:
%s

Each line must be a process type, a colon and a command, such as:
web: gunicorn app:app

A process type is made of a-z, 0-9 and '-', and is at most %d long.
Comments must be on a line of their own, prefixed with '#'.`, n, why, cut(line), maxTypeName),
	}
}
