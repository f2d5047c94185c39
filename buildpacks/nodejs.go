package buildpacks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

const packageJSON = "package.json"

// nodejs decides as Heroku's Node.js buildpack does: engines.node, then its
// default; the packageManager field, then engines, then yarn.lock, then the
// npm that comes with Node.js.
func (d *detector) nodejs() error {
	if !d.tree.isFile(packageJSON) {
		d.nodeDefault("there is no package.json")
		return nil
	}
	pkg, line, err := d.packageJSON()
	if err != nil {
		return err
	}
	d.nodeManager(pkg)
	switch asked := strings.TrimSpace(pkg.engine("node")); {
	case asked == "":
		d.nodeDefault("package.json asks for no version in engines.node")
	case !isRange(asked):
		d.warn("engines-node::invalid", `Warning: Invalid Node.js version in package.json.

The version in 'engines.node' of your package.json isn't a version
range, so the default version is used. The following was found
(%s):
%s

Write a range such as "22.x" or ">=20 <23" instead.`, at(packageJSON, line), cut(asked))
		d.nodeDefault("engines.node of package.json isn't a version range")
	default:
		d.plan.Version = Version{Requested: asked, Origin: "engines.node"}
		d.because("version", asked, packageJSON, line, "asked for by engines.node on "+at(packageJSON, line))
	}
	return nil
}

func (d *detector) nodeDefault(why string) {
	d.plan.Version = Version{Origin: "default"}
	d.because("version", "", "", 0, why+", so the default is used")
}

// A packageFile is what matters here of package.json, read leniently: a field
// of the wrong type counts as absent.
type packageFile map[string]json.RawMessage

func (p packageFile) text(key string) string {
	var s string
	if json.Unmarshal(p[key], &s) != nil {
		return ""
	}
	return s
}

func (p packageFile) engine(name string) string {
	var engines packageFile
	if json.Unmarshal(p["engines"], &engines) != nil {
		return ""
	}
	return engines.text(name)
}

// packageJSON reads package.json, and finds the line of engines.node.
func (d *detector) packageJSON() (pkg packageFile, line int, err error) {
	data, err := d.tree.content(packageJSON, maxFile)
	if err != nil {
		return nil, 0, err
	}
	if !utf8.Valid(data) {
		name, _ := encoding(data)
		return nil, 0, failure("package_json/read", packageJSON, 0, `Error: Error reading package.json.

Your app's package.json is needed to build it, but couldn't be read
because it isn't UTF-8:
%s

Configure your editor to save the file as UTF-8, without a BOM.`, name)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		cause := jsonPlace(data, err)
		bad := failure("package_json/parse", packageJSON, lineOf(cause), `Error: Error parsing package.json.

Your app's package.json is needed to build it, but isn't valid JSON:
%s

Correct the file there. 'npm pkg get' fails on your machine too until
it is right.`, cut(cause.Error()))
		bad.cause = cause
		return nil, 0, bad
	}
	if json.Unmarshal(data, &pkg) != nil {
		return packageFile{}, 0, nil //nolint:nilerr // JSON that is no object says nothing
	}
	return pkg, lineOfKey(data, "engines", "node"), nil
}

var packageManagerField = regexp.MustCompile(`^(npm|pnpm|yarn)@\s*[vV]?(\d+\.\d+\.\d+(?:-?[0-9A-Za-z.-]+)?)\s*(?:\+.*)?$`)

func (d *detector) nodeManager(pkg packageFile) {
	is := func(name, file, why string) {
		d.plan.PackageManager = name
		d.because("package_manager", name, file, 0, why)
	}
	if path := d.yarnPath(); path != "" {
		is("yarn", ".yarnrc.yml", "yarnPath in .yarnrc.yml names "+visible(path))
		return
	}
	if m := packageManagerField.FindStringSubmatch(pkg.text("packageManager")); m != nil {
		is(m[1], packageJSON, fmt.Sprintf("packageManager in package.json is %s@%s", m[1], m[2]))
		return
	}
	for _, name := range []string{"pnpm", "yarn", "npm"} {
		if asked := pkg.engine(name); asked != "" && isRange(asked) {
			is(name, packageJSON, fmt.Sprintf("engines.%s in package.json is %s", name, asked))
			return
		}
	}
	if d.tree.exists("yarn.lock") {
		is("yarn", "yarn.lock", foundIn("yarn.lock"))
		return
	}
	is("npm", "", "package.json names no other, and npm comes with Node.js")
	if d.tree.isFile("pnpm-lock.yaml") {
		d.warn("package-manager::pnpm-undeclared", `Warning: A pnpm-lock.yaml was found, but npm will be used.

Your package.json doesn't say which version of pnpm to use.

Run 'npm pkg set packageManager=pnpm@VERSION' with the version that
you use locally ('pnpm --version' prints it), and commit the change.`)
	}
}

var yarnPathLine = regexp.MustCompile(`(?m)^["']?yarnPath["']?[ \t]*:[ \t]*["']?([^"'\r\n#]+?)["']?[ \t]*(?:#.*)?\r?$`)

// yarnPath is the Yarn that the app brings with it, "" if none.
func (d *detector) yarnPath() string {
	const rc = ".yarnrc.yml"
	if !d.tree.isFile(rc) {
		return ""
	}
	data, err := d.tree.content(rc, maxFile)
	if err != nil {
		return "" // Heroku too goes on without it
	}
	m := yarnPathLine.FindSubmatch(data)
	if m == nil {
		return ""
	}
	path := strings.TrimPrefix(string(bytes.TrimSpace(m[1])), "./")
	if !fs.ValidPath(path) || !d.tree.exists(path) {
		return ""
	}
	return path
}
