package buildpacks

import (
	"fmt"
	"strings"
)

// The texts are those of Heroku's classic Python buildpack, with the place,
// and with Slipway's name where Heroku says its own.

const pinAdvice = `We strongly recommend that you don't specify the Python patch
version number, since it will pin your app to an exact Python
version and so stop your app from receiving security updates
each time it builds.`

const uvAdvice = `If you aren't sure which package manager to use, we recommend
trying uv, since it supports lockfiles, is extremely fast, and
is actively maintained by a full-time team:
https://docs.astral.sh/uv/`

const noVersionText = `Warning: No Python version was specified.

Your app doesn't specify a Python version and so the buildpack
picked a default version for you.

Relying on this default version isn't recommended, since it
can change over time and may not be consistent with your local
development environment, CI or other instances of your app.

Please configure an explicit Python version for your app.

%s

If your app already has a .python-version file, check that it:

1. Is in the top level directory (not a subdirectory).
2. Is named exactly '.python-version' in all lowercase.
3. Isn't listed in '.gitignore' or '.slugignore'.
4. Has been added to the Git repository using 'git add --all'
   and then committed using 'git commit'.

In the future we will require the use of a .python-version
file and this warning will be made an error.`

const runtimeDeprecatedText = `Warning: The runtime.txt file is deprecated.

The runtime.txt file is deprecated since it has been replaced
by the more widely supported .python-version file.

Please switch to using a .python-version file instead.

%s

In the future support for runtime.txt will be removed and
this warning will be made an error.`

const deprecatedMajorText = `Warning: Support for Python %[1]s is deprecated!

Python %[1]s will reach its upstream end-of-life in October 2026,
at which point it will no longer receive security updates:
https://devguide.python.org/versions/#supported-versions

As such, support for Python %[1]s will be removed from this
buildpack on 6th January 2027.

Upgrade to a newer Python version as soon as possible, by
changing the version in your %[2]s file.`

const outdatedText = `Warning: A Python patch update is available!

Your app is using Python %[1]s, however, there is a newer
patch release of Python %[2]s available: %[3]s

It is important to always use the latest patch version of
Python to keep your app secure.

Update your %[4]s file to use the new version.

We strongly recommend that you don't pin your app to an
exact Python version such as %[1]s, and instead only specify
the major Python version of %[2]s in your %[4]s file.
This will allow your app to receive the latest available Python
patch version automatically and prevent this warning.`

// instructions tell how to write a .python-version file.
func instructions(origin, major string) string {
	first := "Create a new file in the root directory of your app named:"
	if origin == runtimeTxt {
		first = "Delete your runtime.txt file and create a new file in the\nroot directory of your app named:"
	}
	return fmt.Sprintf(`%s
.python-version

Make sure to include the '.' character at the start of the
filename. Don't add a file extension such as '.txt'.

In the new file, specify your app's major Python version number
only. Don't include quotes or a 'python-' prefix.

For example, to request the latest version of Python %[2]s,
update your .python-version file so it contains exactly:
%[2]s

%[3]s`, first, major, pinAdvice)
}

func (d *detector) existingPython() *DetectError {
	text := `Error: Existing '.heroku/python/' directory found.

Your app's source code contains an existing directory named
'.heroku/python/', which is where Heroku's Python buildpack
installs its files. This existing directory contains:

%s

Writing to internal locations used by the Python buildpack
isn't supported and can cause unexpected errors.

If you have committed a '.heroku/python/' directory to your
Git repo, you must delete it or use a different location.

Otherwise, check that an earlier buildpack or 'bin/pre_compile'
hook hasn't created this directory.`
	return failure("checks::existing-python-dir", ".heroku/python", 0, text,
		strings.Join(listed(d.tree.below(".heroku/python")), "\n"))
}

func (d *detector) existingVenv(dir string) *DetectError {
	text := `Error: Existing '%[1]s/' directory found.

Your app's source code contains an existing directory named
'%[1]s/', which looks like a Python virtual environment:

%[2]s

Including a virtual environment directory in your app source
isn't supported since the files within it are specific to a
single machine and so won't work when run somewhere else.

If you've committed a '%[1]s/' directory to your Git repo, you
must delete it and add the directory to your .gitignore file.

To do this:
1. Run 'git rm --cached -r %[1]s/' to remove the directory
   from the Git index.
2. Create a '.gitignore' file in the root of your repository
   if it doesn't already exist.
3. Add the '%[1]s/' directory to the .gitignore file as a
   new entry on its own line (don't include the quotes).
4. Stage the change using 'git add .gitignore' and then
   'git commit' all changes.

For more information, see:
https://docs.github.com/en/get-started/git-basics/ignoring-files

If the directory was created by a 'bin/pre_compile' hook or
an earlier buildpack, you must instead update them to create
the virtual environment in a different location.`
	return failure("checks::existing-venv-dir", dir, 0, text, dir, strings.Join(listed(d.tree.below(dir)), "\n"))
}

func pipfileWithoutLock() *DetectError {
	return failure("package-manager::pipenv-missing-lockfile", "Pipfile", 0, `Error: No 'Pipfile.lock' found!

A 'Pipfile' file was found, however, the associated 'Pipfile.lock'
Pipenv lockfile wasn't. This means your app dependency versions
aren't pinned, which means the package versions used on Slipway
might not match those installed in other environments.

Using Pipenv in this way is unsafe and no longer supported.

Run 'pipenv lock' locally to generate the lockfile, and make sure
that 'Pipfile.lock' isn't listed in '.gitignore' or '.slugignore'.

Alternatively, if you wish to switch to another package manager,
delete your 'Pipfile' and then add either a 'requirements.txt',
'poetry.lock' or 'uv.lock' file.

%s`, uvAdvice)
}

func manyManagers(shown []string) *DetectError {
	return failure("package-manager::multiple-found", "", 0, `Error: Multiple Python package manager files were found.

Exactly one package manager file should be present in your app's
source code, however, several were found:

%s

You must decide which package manager you want to use with your
app, and then delete the file(s) and any config from the others.

%s`, strings.Join(shown, "\n"), uvAdvice)
}

func setupOnly() *DetectError {
	return failure("package-manager::setup-py-only", "setup.py", 0, `Error: Implicit setup.py file support has been sunset.

Your app currently only has a setup.py file and no Python
package manager files. This means that the buildpack can't
tell which package manager you want to use, and whether to
install your project in editable mode or not.

You must now add an explicit package manager file to your app,
such as a requirements.txt, poetry.lock or uv.lock file.

To continue using your setup.py file with pip in editable
mode, create a new file in the root directory of your app
named 'requirements.txt' containing the requirement
'--editable .' (without quotes).

Alternatively, if you wish to switch to another package
manager, we recommend uv, since it supports lockfiles, is
faster, and is actively maintained by a full-time team:
https://docs.astral.sh/uv/`)
}

func (d *detector) noManager() *DetectError {
	return failure("package-manager::none-found", "", 0, `Error: Couldn't find any supported Python package manager files.

A Python app on Slipway must have either a 'requirements.txt',
'Pipfile.lock', 'poetry.lock' or 'uv.lock' package manager file
in the root directory of its source code.

It was taken for a Python app because %[1]s.

Currently the root directory of your app contains:

%[2]s

If your app already has a package manager file, check that it:

1. Is in the top level directory (not a subdirectory).
2. Has the correct spelling (the filenames are case-sensitive).
3. Isn't listed in '.gitignore' or '.slugignore'.
4. Has been added to the Git repository using 'git add --all'
   and then committed using 'git commit'.

Otherwise, add a package manager file to your app. If your app has
no dependencies, then create an empty 'requirements.txt' file.

%[3]s`, d.plan.Reasons[len(d.plan.Reasons)-1].Text, strings.Join(d.tree.listing(), "\n"), uvAdvice)
}

func failure(id, file string, line int, format string, args ...any) *DetectError {
	return &DetectError{ID: id, File: file, Line: line, Lines: lines(format, args...)}
}
