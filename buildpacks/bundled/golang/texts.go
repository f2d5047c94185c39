package golang

import (
	"bytes"
	"strings"
)

func (b *build) noSuchGo(asked, origin, offered string) error {
	if offered == "" {
		return b.out.Fail(`Error: The requested Go version isn't available.

Your app asks for Go %s, by %s,
which the module proxy that GOPROXY names doesn't have.

Write a version that it has into go.mod, such as 'go 1.26', and push
again.`, asked, origin)
	}
	return b.out.Fail(`Error: The requested Go version isn't available.

Your app asks for Go %s, by %s,
which the module proxy doesn't have as a toolchain. It has these:
%s

Write one of them into go.mod, such as 'go 1.26' for the newest patch
of it, and push again. An app for an older Go compiles with a later
one, as a rule.`, asked, origin, offered)
}

func (b *build) tooOld(v version, origin, offered string) error {
	if offered == "" {
		offered = known[0]
	}
	return b.out.Fail(`Error: The requested Go version is too old.

Your app asks for Go %s, by %s.
Slipway builds with Go %s and later, such as these:
%s

Write one of them into go.mod, such as 'go 1.26', and push again. An
app for an older Go compiles with a later one, as a rule.`, v.text, origin, oldest.text, offered)
}

// noModules answers what came before modules.
func (b *build) noModules() error {
	with := map[string]string{
		"dep": "dep (Gopkg.lock)", "godep": "godep (Godeps)", "govendor": "govendor (vendor/vendor.json)", "glide": "glide (glide.yaml)",
	}[b.plan.PackageManager]
	found := "has Go files, but no go.mod"
	if with != "" {
		found = "manages its dependencies with " + with
	}
	return b.out.Fail(`Error: Your app has no go.mod.

Slipway builds Go modules only, as Heroku's newer builders. Your app
%s.

Make it a module on your own machine, and push again:

  go mod init example.com/NAME
  go mod tidy
  git add go.mod go.sum`, found)
}

func (b *build) noPrograms() error {
	return b.out.Fail(`Error: There is no program to compile.

None of your app's packages is a 'package main' with a func main.

Add one, in the root directory or below cmd, or name what to compile
in go.mod:

  // +heroku install ./cmd/...`)
}

func (b *build) adviseWeb(names []string) {
	b.out.Block(`Warning: No web process was declared.

Your app has several programs, and none is called 'web' or as its
module, so nothing will answer its web address:
%s

If one should answer, add a file named 'Procfile' (without an
extension) to the root directory of your app, with a line such as:
web: %s`, wrap(strings.Join(names, ", ")), names[0])
}

// unreachable is for what kept a toolchain from being installed.
func (b *build) unreachable(err error) error {
	return b.out.Fail(`Error: Unable to install Go %s.

%v

Go comes from the module proxy that GOPROXY names, https://proxy.golang.org
unless your app or the server is set up for another, and is checked
against the checksum database that GOSUMDB names. Where these are out
of reach, the operator of the server names a proxy, and opens the way
to it if it is on a private address:

  slipway serve --build-env GOPROXY=http://HOST:PORT \
    --build-reach HOST:PORT`, b.choice.text, err)
}

// A goLog looks for troubles that can be explained.
type goLog struct{ hint string }

func (g *goLog) see(line []byte) {
	if g.hint != "" {
		return
	}
	for _, h := range goHints {
		if bytes.Contains(line, []byte(h.sign)) {
			g.hint = h.text
			return
		}
	}
}

var goHints = []struct{ sign, text string }{
	{"inconsistent vendoring", `Error: Your app's vendor directory isn't what go.mod asks for.

Make it anew on your own machine, and push again:

  go mod vendor
  git add go.mod go.sum vendor

Without a vendor directory, Slipway downloads the modules instead.`},
	{"missing go.sum entry", missingSums},
	{"updates to go.mod needed", missingSums},
	{"updates to go.sum needed", missingSums},
	{"cannot find main module", `Error: The go command found no module.

Your app needs a go.mod in its root directory. Make one on your own
machine, and push again:

  go mod init example.com/NAME
  go mod tidy`},
	{"SECURITY ERROR", `Error: A module isn't what the checksum database says.

See the log output above for more information. Somebody has changed
the module after its release, or what your app downloads it from.

If it is your own and private, set GOPRIVATE to its path:

  slipway config:set GOPRIVATE=example.com/private`},
	{"connection refused", noProxy},
	{"no such host", noProxy},
	{"network is unreachable", noProxy},
	{"i/o timeout", noProxy},
}

const missingSums = `Error: Your app's go.mod and go.sum aren't complete.

Slipway never changes them. Complete them on your own machine, and
push again:

  go mod tidy
  git add go.mod go.sum`

const noProxy = `Error: Unable to download your app's modules.

Modules come from the module proxy that GOPROXY names,
https://proxy.golang.org unless your app or the server is set up for
another. Where it is out of reach, the operator of the server names a
proxy, and opens the way to it if it is on a private address:

  slipway serve --build-env GOPROXY=http://HOST:PORT \
    --build-reach HOST:PORT

Modules that are in your app's vendor directory need no network:

  go mod vendor`
