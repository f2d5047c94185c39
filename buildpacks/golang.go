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
		d.because("version", "", goMod, 0, "go.mod has no go line, so the default is used")
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

// goVersionLines returns what the first go line and the last directive ask
// for; a go line is an exact requirement.
func goVersionLines(text string) (line, directive versionLine) {
	n := 0
	for s := range strings.SplitSeq(text, "\n") {
		n++
		f := strings.Fields(s)
		switch {
		case len(f) >= 4 && f[0] == "//" && f[1] == "+heroku" && f[2] == "goVersion":
			directive = versionLine{f[3], n}
		case len(f) >= 2 && f[0] == "go" && (len(f) == 2 || strings.HasPrefix(f[2], "//")) && line.n == 0:
			line = versionLine{"=" + f[1], n}
		}
	}
	return line, directive
}

var requirementPart = regexp.MustCompile(`^(=|>=?|<=?|~|\^)?\s*(\d+)(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$`)

// requirement writes a version requirement in one way: "go1.25" and "=1.25"
// are "=1.25", "1.25" is "^1.25".
func requirement(s string) (string, bool) {
	if v, ok := strings.CutPrefix(s, "go"); ok {
		s = "=" + v
	}
	if s == "*" || s == "x" || s == "X" {
		return "*", true
	}
	parts := strings.Split(s, ",")
	for i, part := range parts {
		m := requirementPart.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return "", false
		}
		parts[i] = onePart(m)
	}
	return strings.Join(parts, ", "), true
}

func onePart(m []string) string {
	op, version := m[1], m[2]
	wild := false
	for _, n := range m[3:5] {
		if n != "" && strings.Contains("xX*", n) {
			n, wild = "*", true
		}
		if n != "" {
			version += "." + n
		}
	}
	if op == "" && !wild {
		op = "^"
	}
	return op + version + m[5]
}
