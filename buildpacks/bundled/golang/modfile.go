package golang

import (
	"fmt"
	"strings"

	"golang.org/x/mod/modfile"
)

// A modFile is what this buildpack reads of go.mod or go.work itself. What is
// wrong with them the go command says, and better.
type modFile struct {
	path      string   // of the module
	goLine    string   // of a go.work: "1.26"
	toolchain string   // "go1.26.3", "" if there is no such line
	directive bool     // a "// +heroku goVersion" line is there
	install   []string // of the last "// +heroku install"
	used      []string // directories of a go.work
}

func parseMod(data []byte) modFile {
	m := modFile{path: modfile.ModulePath(data)}
	for line := range strings.SplitSeq(string(data), "\n") {
		f := strings.Fields(line)
		switch {
		case len(f) >= 4 && f[0] == "//" && f[1] == "+heroku" && f[2] == "install":
			m.install = f[3:]
		case len(f) >= 4 && f[0] == "//" && f[1] == "+heroku" && f[2] == "goVersion":
			m.directive = true
		case len(f) >= 2 && f[0] == "toolchain" && (len(f) == 2 || strings.HasPrefix(f[2], "//")):
			m.toolchain = f[1]
		}
	}
	return m
}

func parseWork(data []byte) (modFile, error) {
	file, err := modfile.ParseWork("go.work", data, nil)
	if err != nil {
		return modFile{}, fmt.Errorf("read go.work: %w", err)
	}
	var m modFile
	if file.Toolchain != nil {
		m.toolchain = file.Toolchain.Name
	}
	if file.Go != nil {
		m.goLine = file.Go.Version
	}
	for _, use := range file.Use {
		m.used = append(m.used, use.Path)
	}
	return m, nil
}
