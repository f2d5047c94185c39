package workbench

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// The Buildpack APIs that the lifecycle supports, oldest first, and the first that
// knows targets.
var (
	apis        = []string{"0.7", "0.8", "0.9", "0.10", "0.11", "0.12"}
	sinceTarget = 3
)

// maxDescriptor bounds what is read of buildpack.toml.
const maxDescriptor = 1 << 20

// A descriptor is what lint looks at in buildpack.toml (Buildpack Interface
// Specification, "buildpack.toml (TOML)").
type descriptor struct {
	API       string `toml:"api"`
	Buildpack struct {
		ID          string   `toml:"id"`
		Name        string   `toml:"name"`
		Version     string   `toml:"version"`
		Homepage    string   `toml:"homepage"`
		ClearEnv    bool     `toml:"clear-env"`
		Description string   `toml:"description"`
		Keywords    []string `toml:"keywords"`
		SBOMFormats []string `toml:"sbom-formats"`
		Licenses    []struct {
			Type string `toml:"type"`
			URI  string `toml:"uri"`
		} `toml:"licenses"`
	} `toml:"buildpack"`
	Order []struct {
		Group []struct {
			ID       string `toml:"id"`
			Version  string `toml:"version"`
			Optional bool   `toml:"optional"`
		} `toml:"group"`
	} `toml:"order"`
	Targets []struct {
		OS          string `toml:"os"`
		Arch        string `toml:"arch"`
		Variant     string `toml:"variant"`
		ArchVariant string `toml:"arch-variant"` // as the lifecycle reads it
		Distros     []struct {
			Name    string `toml:"name"`
			Version string `toml:"version"`
		} `toml:"distros"`
	} `toml:"targets"`
	Stacks []struct {
		ID     string   `toml:"id"`
		Mixins []string `toml:"mixins"`
	} `toml:"stacks"`
}

// LintBuildpack remarks on the files of a buildpack in a directory.
func LintBuildpack(dir string) []Remark {
	l := fileLinter{dir: dir, name: dir, remarks: []Remark{}}
	if _, err := fsOf(dir); err != nil {
		l.add("no-directory", Wrong, "", "name the directory that buildpack.toml is in", "%v", err)
		return l.remarks
	}
	data, err := readBounded(filepath.Join(dir, descriptorFile), maxDescriptor)
	switch {
	case errors.Is(err, fs.ErrNotExist) && exists(filepath.Join(dir, "bin", "compile")):
		l.program("detect", Wrong) // Heroku's older interface
	case errors.Is(err, fs.ErrNotExist):
		l.add("no-descriptor", Wrong, descriptorFile, "write one, with api, [buildpack] id and version, and [[targets]]", "the buildpack has no %s", descriptorFile)
	case err != nil:
		l.add("bad-descriptor", Wrong, descriptorFile, "make it a readable file", "%v", err)
	default:
		l.descriptor(data)
	}
	return l.remarks
}

const descriptorFile = "buildpack.toml"

// A fileLinter remarks on the files of one buildpack.
type fileLinter struct {
	dir, name string
	remarks   []Remark
}

func (l *fileLinter) add(id, severity, place, do, format string, args ...any) {
	l.remarks = append(l.remarks, Remark{
		ID: id, Severity: severity, Buildpack: l.name, Place: place, Text: fmt.Sprintf(format, args...), Do: do,
	})
}

func (l *fileLinter) descriptor(data []byte) {
	var d descriptor
	meta, err := toml.Decode(string(data), &d)
	if bad, ok := errors.AsType[toml.ParseError](err); ok {
		place := fmt.Sprintf("%s:%d", descriptorFile, bad.Position.Line)
		l.add("bad-descriptor", Wrong, place, "mend the line", "it is not TOML: %s", bad.Message)
		return
	}
	if err != nil {
		l.add("bad-descriptor", Wrong, descriptorFile, "give the key the form that the specification has", "%v", err)
		return
	}
	if d.Buildpack.ID != "" {
		l.name = strings.TrimSuffix(d.Buildpack.ID+"@"+d.Buildpack.Version, "@")
	}
	for _, key := range unknownKeys(meta) {
		l.add("unknown-key", Suspect, descriptorFile, "look whether it is misspelt; what is your own goes below [metadata]", "the specification has no key %q", key)
	}
	l.identity(d)
	l.api(d)
	if len(d.Order) > 0 {
		l.meta(d)
		return
	}
	l.targets(d)
	l.program("detect", Wrong)
	l.program("build", Suspect) // nothing of detection
}

// unknownKeys are those that no field took, the outermost of each. Below metadata
// everything is the author's own.
func unknownKeys(meta toml.MetaData) []string {
	var keys []string
	for _, key := range meta.Undecoded() {
		if key[0] == "metadata" || len(key) > 1 && slices.Contains(keys, strings.Join(key[:len(key)-1], ".")) {
			continue
		}
		keys = append(keys, key.String())
	}
	return keys
}

var (
	idPattern      = regexp.MustCompile(`^[0-9A-Za-z./-]+$`)
	versionPattern = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)
)

func (l *fileLinter) identity(d descriptor) {
	id, version := d.Buildpack.ID, d.Buildpack.Version
	switch {
	case id == "":
		l.add("no-id", Wrong, descriptorFile, `write id = "you/name" below [buildpack]`, "the buildpack has no id")
	case !idPattern.MatchString(id) || id == "config" || id == "app" || id == "sbom":
		l.add("bad-id", Wrong, descriptorFile, "use letters, digits, dots, hyphens and slashes, and not config, app or sbom alone", "%q cannot be an id", id)
	}
	switch {
	case version == "":
		l.add("no-version", Wrong, descriptorFile, `write version = "0.0.1" below [buildpack]`, "the buildpack has no version")
	case !versionPattern.MatchString(version):
		l.add("bad-version", Suspect, descriptorFile, "write three numbers, such as 1.2.3", "%q is no version", version)
	}
}

func (l *fileLinter) api(d descriptor) {
	newest := apis[len(apis)-1]
	at := slices.Index(apis, d.API)
	switch {
	case d.API == "":
		l.add("no-api", Wrong, descriptorFile, fmt.Sprintf("write api = %q at the top", newest), "it names no Buildpack API")
	case at < 0:
		l.add("unknown-api", Wrong, descriptorFile, "use one of "+strings.Join(apis, ", "), "the lifecycle does not support Buildpack API %q", d.API)
	case at < sinceTarget:
		l.add("old-api", Suspect, descriptorFile, fmt.Sprintf("go on to %q", newest), "Buildpack API %s is of the time of stacks, before [[targets]]", d.API)
	}
}

func (l *fileLinter) targets(d descriptor) {
	known := slices.Index(apis, d.API) >= sinceTarget
	switch {
	case len(d.Targets) > 0 || !known:
	case len(d.Stacks) > 0:
		l.add("stacks", Suspect, descriptorFile, "write [[targets]] with os and arch instead", "it has [[stacks]], which with Buildpack API %s count for two old stacks at most", d.API)
	default:
		l.add("no-targets", Suspect, descriptorFile, "write [[targets]] with os = \"linux\" and each arch that it is for", "it names no [[targets]], so what it is for is guessed from its programs")
	}
}

// meta is about a buildpack that is a list of others.
func (l *fileLinter) meta(d descriptor) {
	for _, name := range []string{"detect", "build"} {
		if exists(filepath.Join(l.dir, "bin", name)) {
			l.add("meta-program", Suspect, "bin/"+name, "remove it, or remove [[order]]", "it is never run, since the buildpack has an [[order]]")
		}
	}
	if len(d.Targets)+len(d.Stacks) > 0 {
		l.add("meta-targets", Wrong, descriptorFile, "remove [[targets]] and [[stacks]]: those of its buildpacks count", "a buildpack with an [[order]] has no targets of its own")
	}
}

// program is about bin/detect or bin/build.
func (l *fileLinter) program(name, severity string) {
	place := "bin/" + name
	file := filepath.Join(l.dir, "bin", name)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.add("no-program", severity, place, "write it, and chmod +x "+place, "the buildpack has no %s", place)
		return
	case err != nil:
		l.add("bad-program", severity, place, "make it a readable file", "%v", err)
		return
	case !info.Mode().IsRegular():
		l.add("bad-program", severity, place, "make it a file", "it is no file")
		return
	case info.Mode()&0o111 == 0:
		l.add("not-executable", severity, place, "chmod +x "+place+"; in git, git update-index --chmod=+x", "it cannot be executed")
	}
	l.start(place, file, severity)
}

// start is about how a program begins, which tells the kernel how to run it.
func (l *fileLinter) start(place, file, severity string) {
	f, err := os.Open(file)
	if err != nil {
		l.add("bad-program", severity, place, "make it readable", "%v", err)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	start := make([]byte, 256)
	n, _ := f.Read(start) // an empty file has no start
	line, _, whole := bytes.Cut(start[:n], []byte("\n"))
	switch {
	case bytes.HasPrefix(start[:n], []byte(elf.ELFMAG)):
	case !bytes.HasPrefix(line, []byte("#!")):
		l.add("no-interpreter", severity, place+":1", "begin it with #!/usr/bin/env bash, or what it is written in", "it does not begin with #!, and is no program of Linux")
	case whole && bytes.HasSuffix(line, []byte("\r")):
		l.add("carriage-return", severity, place+":1", "save it with Unix line ends; in git, write * text eol=lf into .gitattributes", "its first line ends with a carriage return, which becomes part of the interpreter's name")
	}
}
