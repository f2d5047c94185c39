package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	procfileName   = "Procfile"
	releaseProcess = "release" // runs at a release, not beside the others
	maxTypes       = 200
)

// A Process is a process type and its command.
type Process struct {
	Type    string
	Command string
}

var procfileLine = regexp.MustCompile(`^\s*([A-Za-z0-9_-]+):\s*(.*\S)\s*$`)

// ParseProcfile reads lines of the form "type: command", blank ones and comments.
// Of a type that is declared twice, the last command counts. The error names the
// file by name, and the line.
func ParseProcfile(name string, data []byte) ([]Process, error) {
	var all []Process
	n := 0
	for line := range strings.Lines(string(withoutBOM(data))) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
			continue
		}
		m := procfileLine.FindStringSubmatch(line)
		if m == nil || strings.ContainsRune(line, 0) {
			return nil, fmt.Errorf("%s line %d parse error: %.80q: write TYPE: COMMAND, such as web: python app.py", name, n, line)
		}
		p := Process{Type: m[1], Command: m[2]}
		if i := slices.IndexFunc(all, func(other Process) bool { return other.Type == p.Type }); i >= 0 {
			all[i] = p
			continue
		}
		if len(all) == maxTypes {
			return nil, fmt.Errorf("%s line %d: more than %d process types are declared: remove some", name, n, maxTypes)
		}
		all = append(all, p)
	}
	return all, nil
}

// withoutBOM drops the mark that some editors put at a file's beginning.
func withoutBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\uFEFF")) }

// errNoProcfile says that there is no Procfile.
var errNoProcfile = errors.New("there is none")

// loadProcfile reads the app's Procfile.
func (c Config) loadProcfile() ([]Process, error) {
	path := c.path(c.Procfile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && !info.Mode().IsRegular():
		return nil, errNoProcfile
	case err != nil:
		return nil, err
	}
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	all, err := ParseProcfile(c.Procfile, data)
	if err == nil && len(all) == 0 {
		return nil, fmt.Errorf("%s declares no process types: write a line TYPE: COMMAND, such as web: python app.py", c.Procfile)
	}
	return all, err
}

func (c Config) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

// processes finds what may be started. Where types were asked for, a package.json
// stands in for a Procfile.
func (c Config) processes(out *console) ([]Process, error) {
	all, err := c.loadProcfile()
	if !errors.Is(err, errNoProcfile) {
		return all, err
	}
	if _, err := os.Stat(c.path("package.json")); err != nil || len(c.Types) == 0 {
		return nil, fmt.Errorf("no %s found: add one to say what to run (a line such as web: python app.py), "+
			"or name a command with --start-cmd", c.Procfile)
	}
	out.warn("No %s found", c.Procfile)
	out.okay("package.json file found - trying 'npm start'")
	return []Process{{Type: "web", Command: "npm start"}}, nil
}
