package buildpacks

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// lines formats text and splits it; the indentation common to Go's raw
// strings is not used, so that the texts read here as they are shown.
func lines(format string, args ...any) []string {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	return strings.Split(strings.Trim(text, "\n"), "\n")
}

// at is a place in the app for a person: "line 3 of runtime.txt".
func at(file string, line int) string {
	if line == 0 {
		return visible(file)
	}
	return fmt.Sprintf("line %d of %s", line, visible(file))
}

// lineOfKey is the line of JSON's last key among keys that are looked for one
// behind the other, 0 if it is not there. It is for people: where a key stands
// twice, it may be the other one.
func lineOfKey(data []byte, keys ...string) int {
	at := 0
	for _, key := range keys {
		quoted := []byte(`"` + key + `"`)
		for {
			i := bytes.Index(data[at:], quoted)
			if i < 0 {
				return 0
			}
			at += i + len(quoted)
			if bytes.HasPrefix(bytes.TrimLeft(data[at:], " \t\r\n"), []byte(":")) {
				break
			}
		}
	}
	return bytes.Count(data[:at], []byte("\n")) + 1
}

func foundIn(file string) string { return visible(file) + " was found" }

func isPrint(r rune) bool { return r != unicode.ReplacementChar && unicode.IsPrint(r) }

// cut shortens what an app brought to what fits in a message.
func cut(s string) string {
	const most = 100
	s = visible(s)
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func unreadable(name string, cause error) *DetectError {
	return &DetectError{
		ID: "file::unreadable", File: name, cause: cause,
		Lines: lines(`Error: Unable to read %[1]s.

Your app's %[1]s file is needed to build it, but couldn't be read:
%[2]s

Check that it is a plain file, or a link to one inside your app.`, visible(name), cut(cause.Error())),
	}
}

func tooLarge(name string, limit int64) *DetectError {
	return &DetectError{
		ID: "file::too-large", File: name,
		Lines: lines(`Error: %[1]s is too large.

Your app's %[1]s file is larger than %[2]d MiB, which is more
than such a file ever needs.

Check that the right file was committed under this name.`, visible(name), limit>>20),
	}
}

// unknown is the error for a tree that nothing recognises.
func (d *detector) unknown() *DetectError {
	return &DetectError{
		cause: ErrNoLanguage,
		Lines: lines(`No default language could be detected for this app.

HINT: This occurs when Slipway cannot tell from the files in the root
directory which buildpack to use. It looked for:

  Python    requirements.txt, Pipfile.lock, poetry.lock or uv.lock
  Node.js   package.json
  Go        go.mod
  Ruby      Gemfile
  PHP       composer.json
  Java      pom.xml or build.gradle
  static    index.html or static.json

Currently the root directory of your app contains:

%s

If your app already has such a file, check that it:

1. Is in the top level directory (not a subdirectory).
2. Has the correct spelling (the filenames are case-sensitive).
3. Isn't listed in '.gitignore' or '.slugignore'.
4. Has been added to the Git repository using 'git add --all'
   and then committed using 'git commit'.`, strings.Join(d.tree.listing(), "\n")),
	}
}
