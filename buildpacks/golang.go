package buildpacks

import (
	"regexp"
	"strings"
)

const goMod = "go.mod"

// golang decides as Heroku's Go buildpacks do: the last `// +heroku goVersion`
// of go.mod, or else its go line.
func (d *detector) golang() error {
	for _, m := range []struct{ file, manager string }{
		{"vendor/modules.txt", "vendor"},
		{goMod, "gomod"},
		{"go.work", "gomod"},
		{"Gopkg.lock", "dep"},
		{"Godeps/Godeps.json", "godep"},
		{"vendor/vendor.json", "govendor"},
		{"glide.yaml", "glide"},
	} {
		if d.tree.isFile(m.file) {
			d.managerIs(m.manager, m.file)
			break
		}
	}
	if !d.tree.isFile(goMod) {
		return nil
	}
	data, err := d.tree.content(goMod, maxFile)
	if err != nil {
		return err
	}
	line, directive := goVersionLines(string(data))
	said := directive
	if said.text == "" {
		said = line
	}
	if said.text == "" {
		d.plan.Version = Version{Origin: "default"}
		d.because("version", "", goMod, 0, "go.mod has no line with a go version alone, so the default is used")
		return nil
	}
	want, ok := requirement(said.text)
	if !ok {
		return failure("go-mod::invalid-version", goMod, said.n, `Error: Invalid Go version in go.mod.

The Go version specified in your go.mod file isn't in the correct
format. The following version was found on line %d:
%s

Write a version such as 'go 1.25' or '// +heroku goVersion go1.25'
instead.`, said.n, cut(strings.TrimPrefix(said.text, "=")))
	}
	origin := goMod
	// A go line with a patch version asks for exactly that one. Say so where
	// the comment is what keeps it from being taken at its word.
	if directive.text != "" && fullGoLine.MatchString(line.text) && strings.Count(want, ".") < 2 {
		origin = goMod + " (+heroku goVersion " + visible(directive.text) + ")"
	}
	d.plan.Version = Version{Requested: want, Origin: origin}
	d.because("version", want, goMod, said.n, "asked for by "+at(goMod, said.n))
	return nil
}

var fullGoLine = regexp.MustCompile(`^=\d+\.\d+\.\d+$`)

// goVersionLines returns the first go line and the last directive. Only a go
// line that says nothing but the version counts; a directive wins over it.
func goVersionLines(text string) (line, directive versionLine) {
	n := 0
	for s := range strings.SplitSeq(text, "\n") {
		n++
		f := strings.Fields(s)
		switch {
		case len(f) >= 4 && f[0] == "//" && f[1] == "+heroku" && f[2] == "goVersion":
			directive = versionLine{f[3], n}
		case len(f) == 2 && f[0] == "go" && line.n == 0:
			line = versionLine{"=" + f[1], n}
		}
	}
	return line, directive
}
