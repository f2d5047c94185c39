package python

import "fmt"

// indexOf says of each manager where its packages come from, and what wins over
// the server's index.
var indexOf = map[string][2]string{
	"pip": {
		"Packages are installed from https://pypi.org unless your app or the\nserver is set up for another index.",
		"An --index-url line in your app's requirements.txt wins over that.",
	},
	"Pipenv": {
		"Packages are installed from the sources in your app's Pipfile.lock,\nof which https://pypi.org may have a mirror.",
		"Sources other than https://pypi.org stay as they are.",
	},
	"Poetry": {
		"Packages are installed from https://pypi.org, or from the sources in\nyour app's pyproject.toml.",
		"Packages that poetry.lock has from another source are still taken\nfrom there.",
	},
	"uv": {
		"Packages are installed from where your app's uv.lock has them, which\nis https://pypi.org unless the app is set up for another index.",
		"Packages that uv.lock has from another index are still taken from\nthere.",
	},
}

// noIndexText explains that an index is out of reach: from says where packages
// come from, exception what the operator's mirror does not change.
func noIndexText(from, exception string) string {
	text := fmt.Sprintf(`Error: The Python package index couldn't be reached.

%s

Where PyPI is out of reach, the operator of the server names a
mirror, and opens the way to it if it is on a private address:

  slipway serve --build-env PIP_INDEX_URL=http://HOST:PORT/simple \
    --build-reach HOST:PORT`, from)
	if exception != "" {
		text += "\n\n" + exception
	}
	return text
}

// outdatedText explains a lock that is older than what it is made from.
func outdatedText(m *manager, certain bool) string {
	source, command := "pyproject.toml", m.id+" lock"
	if m.id == "pipenv" {
		source = "Pipfile"
	}
	is := "is"
	if !certain {
		is = "may be"
	}
	return fmt.Sprintf(`Error: Your app's %[1]s %[5]s out of date.

Packages are installed as %[1]s pins them, which only makes
sense if it is made from your current %[2]s.

Make it anew, and commit it:

  %[3]s
  git add %[2]s %[1]s
  git commit -m "Update %[4]s"`, m.lock, source, command, m.lock, is)
}

var buildHints = []struct{ sign, text string }{
	{"could not find gdal-config", `Error: Package installation failed since the GDAL library wasn't found.

GDAL, GEOS and PROJ aren't part of the builder. Use wheels that bring
them, or a builder that has them.`},
	{"sqlite3.h: no such file or directory", `Error: Package installation failed since SQLite headers weren't found.

The SQLite headers aren't part of the builder since most apps don't
require them.

If you're trying to install the 'pysqlite3' package, we recommend
using the virtually identical 'sqlite3' module in Python's standard
library instead:
https://docs.python.org/3/library/sqlite3.html

Alternatively, update your 'pysqlite3' package to 0.6.0 or newer, or
use 'pysqlite3-binary', which are published as compiled wheels.`},
	{"please use pip<24.1 if you need to use this version", `Error: One of your dependencies contains broken metadata.

Newer versions of pip reject packages that use invalid versions
in their metadata (such as Celery older than v5.2.1).

Try upgrading to a newer version of the affected package.`},
}
