package buildpacks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

func lineOf(err error) int {
	if place, ok := errors.AsType[*placeError](err); ok {
		return place.line
	}
	return 0
}

// asked is where the version was said, as "runtime.txt, line 2".
func (d *detector) asked() (file string, line int) {
	for _, r := range d.plan.Reasons {
		if r.Subject == "version" {
			return r.File, r.Line
		}
	}
	return "", 0
}

func (d *detector) endOfLife(v pyVersion, origin string) *DetectError {
	file, line := d.asked()
	if origin == "cached" {
		return failure("python-version::eol", "", 0, `Error: The cached Python version has reached end-of-life.

Your app doesn't specify a Python version, and so normally
would use the version cached from the last build (%[1]s).

However, Python %[1]s has reached its upstream end-of-life,
and is therefore no longer receiving security updates:
https://devguide.python.org/versions/#supported-versions

As such, it's no longer supported by this buildpack.

Please upgrade to at least Python 3.%[2]d by configuring an
explicit Python version for your app.

%[3]s`, v.major(), oldestMinor, instructions(origin, fmt.Sprintf("3.%d", oldestMinor)))
	}
	return failure("python-version::eol", file, line, `Error: The requested Python version has reached end-of-life.

Python %[1]s has reached its upstream end-of-life, and is
therefore no longer receiving security updates:
https://devguide.python.org/versions/#supported-versions

As such, it's no longer supported by this buildpack.

It was requested by %[2]s, which has:
%[3]s

Please upgrade to at least Python 3.%[4]d by changing the
version in your %[5]s file.

If possible, we recommend upgrading all the way to Python %[6]s,
since it contains many performance and usability improvements.`,
		v.major(), at(file, line), said(origin, v), oldestMinor, origin, d.defaultPython())
}

// said is the version as its file writes it.
func said(origin string, v pyVersion) string {
	if origin == runtimeTxt {
		return "python-" + v.String()
	}
	return v.String()
}

func (d *detector) unknownMajor(v pyVersion, origin string) *DetectError {
	file, line := d.asked()
	if origin == "cached" {
		return failure("python-version::unknown-major", "", 0, `Error: The cached Python version isn't recognised.

Your app doesn't specify a Python version, and so normally
would use the version cached from the last build (%[1]s).

However, Python %[1]s isn't recognised by this version
of the buildpack.

This can occur if Slipway's builder has been downgraded to an
older version.

Please ask for it to be upgraded. Alternatively, request an older
Python version by creating a .python-version file in the root
directory of your app, that contains a Python version like:
%[2]s`, v.major(), d.defaultPython())
	}
	return failure("python-version::unknown-major", file, line, `Error: The requested Python version isn't recognised.

The requested Python version %[1]s isn't recognised.

It was requested by %[2]s, which has:
%[3]s

Check that this Python version has been officially released:
https://devguide.python.org/versions/#supported-versions

If it has, %[4]s doesn't have it yet.

%[5]sOtherwise, switch to a supported version (such as Python %[6]s)
by changing the version in your %[7]s file.`,
		v.major(), at(file, line), said(origin, v), d.builder(), d.has(), d.defaultPython(), origin)
}

func (d *detector) builder() string {
	if d.options.Builder != "" {
		return visible(d.options.Builder)
	}
	return "the builder"
}

// has lists the builder's versions, oldest first, as a paragraph of its own.
func (d *detector) has() string {
	have := d.available()
	if len(have) == 0 {
		return ""
	}
	var b strings.Builder
	for _, v := range slices.Backward(have) {
		b.WriteString("\n  " + v.String())
	}
	return "The Python versions it has are:\n" + b.String() + "\n\n"
}

// unavailable is the error for a version that may well exist, but that the
// builder does not have.
func (d *detector) unavailable(v pyVersion, origin string) *DetectError {
	file, line := d.asked()
	id, where := "python-version::unknown-patch", fmt.Sprintf("Your app doesn't specify a Python version, and so would use %s", v)
	if file != "" {
		where = fmt.Sprintf("Your app asks for Python %s on %s", v, at(file, line))
		if line == 0 {
			where = fmt.Sprintf("Your app asks for Python %s in its %s", v, file)
		}
	}
	if v.patch < 0 {
		id = "python-version::unavailable"
	}
	real := "Check that this Python version has been released upstream:\nhttps://www.python.org/downloads/"
	if patch, ok := latestPatch[v.y]; ok && v.x == 3 && v.patch <= patch {
		real = "This is a version that Python has released, but one that was not\nput into this builder."
	}
	instead := d.defaultPython()
	if newest, ok := d.newest(v); ok {
		instead = newest.major()
	}
	return failure(id, file, line, `Error: The requested Python version isn't available.

%[1]s,
however, %[2]s doesn't have that version.

%[3]s%[4]s

We strongly recommend that you don't pin your app to an exact
Python version, and instead only specify a major Python version.
This will allow your app to receive the latest available Python
patch version automatically, and prevent this type of error.

For example, to request the latest version of Python %[5]s,
update your %[6]s file so it contains exactly:
%[7]s`, where, d.builder(), d.has(), real, instead, placeToChange(origin), instructionFor(origin, instead))
}

func instructionFor(origin, major string) string {
	if origin == runtimeTxt {
		return "python-" + major
	}
	return major
}

func uvWithoutVersion(major string) *DetectError {
	return failure("python-version-file::not-found", versionFile, 0, `Error: No Python version was specified.

When using the package manager uv on Slipway, you must specify
your app's Python version with a .python-version file.

To add a .python-version file:

1. Make sure you are in the root directory of your app
   and not a subdirectory.
2. Run 'uv python pin %[1]s'
   (adjust to match your app's major Python version).
3. Commit the changes to your Git repository using
   'git add --all' and then 'git commit'.

%[2]s`, major, uvNote)
}

const uvNote = `Note: We strongly recommend that you don't specify the Python
patch version number in your .python-version file, since it will
pin your app to an exact Python version and so stop your app from
receiving security updates each time it builds.`

func uvWithRuntimeTxt(major string) *DetectError {
	return failure("runtime-txt::not-supported", runtimeTxt, 0, `Error: The runtime.txt file isn't supported when using uv.

When using the package manager uv on Slipway, you must specify
your app's Python version with a .python-version file and not
a runtime.txt file.

To switch to a .python-version file:

1. Make sure you are in the root directory of your app
   and not a subdirectory.
2. Delete your runtime.txt file.
3. Run 'uv python pin %[1]s'
   (adjust to match your app's major Python version).
4. Commit the changes to your Git repository using
   'git add --all' and then 'git commit'.

%[2]s`, major, uvNote)
}
