package buildpacks

import (
	"fmt"
	"regexp"
	"strings"
)

// shownVersions is how many lines of a version file a message shows.
const shownVersions = 10

var looksLikeMajor = regexp.MustCompile(`3\.[0-9]+`)

// suggestion is the major version to write instead of what was found: the
// one that was meant, if that can be told, or else the default.
func (d *detector) suggestion(found string) string {
	v, ok := parseVersion(looksLikeMajor.FindString(found))
	if _, have := d.newest(v); ok && have && !v.endOfLife() {
		return v.major()
	}
	return d.defaultPython()
}

func (d *detector) badRuntimeTxt(found []versionLine, data []byte) *DetectError {
	line, what, text := 0, "The file has no version in it.", ""
	name, readable := encoding(data)
	switch {
	case len(found) > 0 && !readable:
		line, text = found[0].n, found[0].text
		what = "The file uses an unsupported text encoding:\n" + name
	case len(found) == 1:
		line, text = found[0].n, found[0].text
		what = fmt.Sprintf("The following was found on line %d:\n%s", line, cut(text))
	case len(found) > 1:
		line = found[1].n
		what = fmt.Sprintf("More than one line was found, the second of them is line %d:\n%s", line, shown(found))
	}
	return failure("runtime-txt::invalid-version", runtimeTxt, line, `Error: Invalid Python version in runtime.txt.

The Python version specified in your runtime.txt file isn't
in the correct format, which is 'python-' and a version, such as
python-%[3]s.

%[1]s

However, the runtime.txt file is deprecated since it has been
replaced by the more widely supported .python-version file.

As such, we recommend that you switch to using .python-version
instead of fixing your runtime.txt file.

%[2]s`, what, instructions(runtimeTxt, d.suggestion(text)), d.suggestion(text))
}

func shown(found []versionLine) string {
	var b strings.Builder
	for i, line := range found {
		if i == shownVersions {
			b.WriteString("…\n")
			break
		}
		b.WriteString(cut(line.text) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func misspeltVersionFile(name string) *DetectError {
	return failure("python-version-file::misspelled", name, 0, `Error: Your .python-version file is spelled incorrectly.

Your app's .python-version file currently has the filename:
'%s'

However, the correct spelling is (without quotes):
'.python-version'

You must rename your file to the correct name.`, name)
}

func badVersionEncoding(name string) *DetectError {
	return failure("python-version-file::invalid-encoding", versionFile, 1, `Error: Unable to read .python-version.

Your .python-version file couldn't be read because it's using
an unsupported text encoding:
%s

Configure your editor to save files as UTF-8, without a BOM,
then delete and recreate the file using the correct encoding.

If that doesn't work, make sure you don't have a .gitattributes
file that's overriding the text encoding.

Note: On Windows, if you pipe or redirect output to a file
it can result in the file being encoded in UTF-16 LE when
using certain terminals and Windows settings. We recommend
you create the file using a text editor instead.`, name)
}

func (d *detector) badVersionFile(line versionLine) *DetectError {
	return failure("python-version-file::invalid-version", versionFile, line.n, `Error: Invalid Python version in .python-version.

The Python version specified in your .python-version file
isn't in the correct format.

The following version was found on line %[1]d:
%[2]s

However, the Python version must be specified as either:
1. The major version only, for example: %[3]s (recommended)
2. An exact patch version, for example: %[3]s.999

Don't include quotes, a 'python-' prefix or wildcards. Any
code comments must be on a separate line prefixed with '#'.

For example, to request the latest version of Python %[3]s,
update your .python-version file so it contains exactly:
%[3]s

%[4]s`, line.n, cut(line.text), d.suggestion(line.text), pinAdvice)
}

func (d *detector) emptyVersionFile() *DetectError {
	return failure("python-version-file::no-version", versionFile, 0, `Error: No Python version found in .python-version.

No Python version was found in your .python-version file.

Update the file so that it contains your app's major Python
version number. Don't include quotes or a 'python-' prefix.

For example, to request the latest version of Python %[1]s,
update your .python-version file so it contains exactly:
%[1]s

If the file already contains a version, check the line doesn't
begin with a '#', otherwise it will be treated as a comment.`, d.defaultPython())
}

func (d *detector) manyVersions(found []versionLine) *DetectError {
	return failure("python-version-file::multiple-versions", versionFile, found[1].n, `Error: Multiple Python versions found in .python-version.

Multiple versions were found in your .python-version file, the
second of them on line %[3]d:

%[1]s

Update the file so it contains only one Python version.

For example, to request the latest version of Python %[2]s,
update your .python-version file so it contains exactly:
%[2]s`, shown(found), d.suggestion(found[0].text), found[1].n)
}

func badPipfileJSON(cause error) *DetectError {
	bad := failure("pipfile-lock::invalid-json", pipfileLock, 0, `Error: Can't parse Pipfile.lock.

A Pipfile.lock file was found, however, it couldn't be parsed:
%s

This is likely due to it not being valid JSON.

Run 'pipenv lock' to regenerate/fix the lockfile.`, cut(cause.Error()))
	bad.cause = cause
	bad.Line = lineOf(cause)
	return bad
}

func (d *detector) badPipfileVersion(version string, line int) *DetectError {
	return failure("pipfile-lock::invalid-version", pipfileLock, line, `Error: Invalid Python version in Pipfile.lock.

The Python version specified in your Pipfile.lock file by the
'python_version' or 'python_full_version' fields isn't valid.

The following version was found (%[4]s):
%[1]s

However, the Python version must be specified as either:
1. The major version only, for example: %[2]s (recommended)
2. An exact patch version, for example: %[2]s.999

Wildcards aren't supported.

Please update your Pipfile to use a valid Python version and
then run 'pipenv lock' to regenerate Pipfile.lock.

%[3]s

For more information, see:
https://pipenv.pypa.io/en/stable/specifiers.html#specifying-versions-of-python`,
		cut(strings.ReplaceAll(version, "\n", " ")), d.suggestion(version), pinAdvice, at(pipfileLock, line))
}
