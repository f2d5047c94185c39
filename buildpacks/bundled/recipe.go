package bundled

import (
	"time"

	"slipway/buildpacks/bundled/golang"
	"slipway/buildpacks/bundled/nodejs"
	"slipway/buildpacks/bundled/procfile"
	"slipway/buildpacks/bundled/python"
	"slipway/buildpacks/bundled/static"
)

const (
	suite      = "trixie"
	distroName = "debian"
	distroVer  = "13"
	stackID    = "slipway-debian13"

	lifecycleModule  = "github.com/buildpacks/lifecycle"
	lifecycleVersion = "0.21.0"

	// One user builds and runs, so that an app may write below its own
	// directory, as it may on Heroku.
	userName = "cnb"
	userID   = 1000
	groupID  = 1000

	pythonRoot = "/opt/slipway/python"
	caddyRoot  = "/opt/slipway/static"
)

// normalTime is the time of every file and image here, as pack and lifecycle
// set it in their layers.
var normalTime = time.Date(1980, time.January, 1, 0, 0, 1, 0, time.UTC)

// runPackages are added to a minimal Debian for the run image: what compiled
// extensions and ordinary web apps link to or read.
var runPackages = []string{
	"bash", "ca-certificates", "libatomic1", "media-types", "netbase", "tzdata",
	"libbz2-1.0", "libexpat1", "libffi8", "libgdbm6t64", "liblzma5", "libmariadb3",
	"libncursesw6", "libpq5", "libreadline8t64", "libsqlite3-0", "libssl3t64",
	"libstdc++6", "libuuid1", "zlib1g",
}

// buildPackages are added to the run image for the build image: a compiler and
// the headers that C extensions commonly ask for.
var buildPackages = []string{
	"gcc", "g++", "libc6-dev", "make", "patch", "pkgconf", "git", "curl", "xz-utils",
	"libffi-dev", "libmariadb-dev", "libpq-dev", "libsqlite3-dev", "libssl-dev", "zlib1g-dev",
}

// A cpython says where one CPython comes from.
type cpython struct {
	Version string // full version, "3.13.1"
	Module  string // version of pythonModule that holds it
	Sum     string // its go.sum hash
	NoStrip bool   // strip breaks it: drop its shared library instead
	Headers headers
}

// headers says where the C headers of a CPython come from: an exact file, or
// a package of a Debian suite.
type headers struct {
	Suite  string // Debian suite to ask for libpythonX.Y-dev, or
	Pool   string // a path below an Ubuntu mirror, in a release pocket, which never changes
	SHA256 string // of the file at Pool
}

const pythonModule = "github.com/kluctl/go-embed-python"

// pipVersion is the pip in the module of the first CPython below.
const pipVersion = "26.1.2"

// pythons are the CPythons of the builder, newest first. The first one's pip
// serves all of them.
var pythons = []cpython{
	{
		Version: "3.14.6", Module: "v0.0.0-3.14.6-20260610-1", NoStrip: true,
		Sum: "h1:oGUS7++Wm3LgxUfD6AmJgKbKQD2wdQFO9PzyJv6T+E4=",
		Headers: headers{
			Pool:   "pool/main/p/python3.14/libpython3.14-dev_3.14.4-1_amd64.deb",
			SHA256: "75bdc4cfef63482b1391503036c5b634ebb1ca0676ee7d3e5cc847c391c5647f",
		},
	},
	{
		Version: "3.13.1", Module: "v0.0.0-3.13.1-20241219-1",
		Sum:     "h1:x1cSEj4Ug5mpuZgUHLvUmlc5r//KHFn6iYiRSrRcVy4=",
		Headers: headers{Suite: "trixie"},
	},
	{
		Version: "3.12.3", Module: "v0.0.0-3.12.3-20240415-2",
		Sum: "h1:JcYhVgX7jFN8QcoBxx8/kLxUyeUzE/JnGf5ntulNPPM=",
		Headers: headers{
			Pool:   "pool/main/p/python3.12/libpython3.12-dev_3.12.3-1_amd64.deb",
			SHA256: "f5924a06298ae0689128498276d3a555e02615a4ecfa8f4417d679a097586f35",
		},
	},
	{
		Version: "3.11.11", Module: "v0.0.0-3.11.11-20241219-1",
		Sum:     "h1:yVXFTxa6cvhLC6TwkDEHmNaiWlDyaFEGiXd1DQdoeOU=",
		Headers: headers{Suite: "bookworm"},
	},
	{
		Version: "3.10.16", Module: "v0.0.0-3.10.16-20241219-1",
		Sum: "h1:bfJRrtWlbdrPtwXXXZzA95yj2Pr9AvSbxDEm8YvbaP0=",
		Headers: headers{
			Pool:   "pool/main/p/python3.10/libpython3.10-dev_3.10.4-3_amd64.deb",
			SHA256: "89246f12cdfb1fac7675bc94d5cc8b9c72320f152e855197668305c73c8588ec",
		},
	},
}

// Buildpacks are ours.
var Buildpacks = []Buildpack{
	{ID: "slipway/nodejs", Dir: "nodejs", Main: "cmd/nodejs", Descriptor: nodejs.Descriptor, Detect: nodejs.Detect},
	{ID: "slipway/python", Dir: "python", Main: "cmd/python", Descriptor: python.Descriptor, Detect: python.Detect},
	{ID: "slipway/go", Dir: "golang", Main: "cmd/go", Descriptor: golang.Descriptor, Detect: golang.Detect},
	{ID: "slipway/static", Dir: "static", Main: "cmd/static", Descriptor: static.Descriptor, Detect: static.Detect},
	{ID: "slipway/procfile", Dir: "procfile", Main: "cmd/procfile", Descriptor: procfile.Descriptor, Detect: procfile.Detect},
}

// Order is the detection order of the builder: the first group that passes wins.
// Node.js comes first where it helps another language, since that language's
// build wants the assets; the Procfile comes last, since later buildpacks' processes win.
var Order = []Group{
	{{ID: "slipway/nodejs", Optional: true}, {ID: "slipway/python"}, {ID: "slipway/procfile", Optional: true}},
	{{ID: "slipway/nodejs"}, {ID: "slipway/procfile", Optional: true}},
	{{ID: "slipway/nodejs", Optional: true}, {ID: "slipway/go"}, {ID: "slipway/procfile", Optional: true}},
	{{ID: "slipway/nodejs", Optional: true}, {ID: "slipway/static"}, {ID: "slipway/procfile", Optional: true}},
	{{ID: "slipway/procfile"}},
}
