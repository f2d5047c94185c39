package project

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Kind says where a buildpack is.
type Kind int

// The kinds of buildpacks that an app can choose.
const (
	OfBuilder Kind = iota // the builder's own, by its ID
	InApp                 // in a folder of the app
	Archive               // behind an address
	Image                 // in an image registry
	OnServer              // in a folder of the server
)

// A Reference is a buildpack by the name that somebody gave it.
type Reference struct {
	Kind Kind
	// Name is how it is stored and shown: the same buildpack has one name.
	Name        string
	ID, Version string // OfBuilder; Version may be ""
	Path        string // InApp: the folder, "." for the app itself
	URI         string // the others: as the operator's settings allow it
}

// maxName bounds the name of a buildpack, in bytes.
const maxName = 1024

const forms = "write the id of one that the builder has (slipway/nodejs), a folder of the app (./my-buildpack), the address of an archive (https://example.com/buildpack.tgz) or an image (docker://example.com/buildpack)"

// Heroku's own buildpacks have addresses, by which its clients name them.
var herokuAddresses = []*regexp.Regexp{
	regexp.MustCompile(`^https://buildpack-registry\.s3\.amazonaws\.com/buildpacks/([\w-]+/[\w-]+)\.tgz$`),
	regexp.MustCompile(`^https://codon-buildpacks\.s3\.amazonaws\.com/buildpacks/(heroku/[\w-]+)\.tgz$`),
	regexp.MustCompile(`^https://github\.com/(heroku/)heroku-buildpack-([\w-]+?)(?:\.git)?/?$`),
}

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)*$`)

// Parse reads the name of a buildpack. An [*Error] says what is wrong with it.
func Parse(name string) (Reference, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return Reference{}, bad("", 0, "The name of a buildpack is empty: %s.", forms)
	case len(name) > maxName:
		return Reference{}, bad("", 0, "The name %.40q… of a buildpack is longer than %d bytes: %s.", name, maxName, forms)
	case !utf8.ValidString(name), strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return Reference{}, bad("", 0, "The name %.80q of a buildpack has spaces or characters that cannot be seen: %s.", name, forms)
	}
	for _, address := range herokuAddresses {
		if m := address.FindStringSubmatch(name); m != nil {
			return parseID(strings.Join(m[1:], ""))
		}
	}
	for _, prefix := range []string{"urn:buildpack:", "urn:cnb:builder:", "from=builder:"} {
		if id, is := strings.CutPrefix(name, prefix); is {
			return parseID(id)
		}
	}
	switch {
	case name == "." || strings.HasPrefix(name, "./"):
		return parseFolder(name)
	case strings.Contains(name, "://"):
		return parseAddress(name)
	}
	return parseID(name)
}

func parseID(name string) (Reference, error) {
	id, version, _ := strings.Cut(name, "@")
	if !validID.MatchString(id) || version != "" && !validID.MatchString(version) {
		return Reference{}, bad("", 0, "%.200q is no name of a buildpack: %s.", name, forms)
	}
	r := Reference{Kind: OfBuilder, Name: id, ID: id, Version: version}
	if version != "" {
		r.Name += "@" + version
	}
	return r, nil
}

func parseFolder(name string) (Reference, error) {
	clean := path.Clean(name)
	if clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(name, `\`) {
		return Reference{}, bad("", 0, "%.200q leads out of the app: name a folder in it, such as ./my-buildpack.", name)
	}
	r := Reference{Kind: InApp, Name: "./" + clean, Path: clean}
	if clean == "." {
		r.Name = "."
	}
	return r, nil
}

func parseAddress(name string) (Reference, error) {
	u, err := url.Parse(name)
	if err != nil {
		return Reference{}, bad("", 0, "%.200q is no address: %s.", withoutSecrets(name), forms)
	}
	r := Reference{Name: name, URI: name}
	switch u.Scheme {
	case "http", "https":
		switch {
		case u.Host == "":
			return r, bad("", 0, "%.200q is no address: %s.", name, forms)
		case u.User != nil:
			return r, bad("", 0, "The address of a buildpack at %.200s has a password in it, which everybody would see who may use the app.\nPut the archive where none is needed.", u.Host)
		case strings.HasSuffix(u.Path, ".git"), u.Fragment != "":
			return r, bad("", 0, "%.200q is a repository, of which Slipway needs an archive: on GitHub that is https://github.com/OWNER/NAME/archive/refs/heads/BRANCH.tar.gz.", name)
		}
		r.Kind = Archive
	case "docker":
		r.Kind = Image
	case "file":
		r.Kind = OnServer
	default:
		return r, bad("", 0, "%.200q has an address of a kind that Slipway does not read: %s.", withoutSecrets(name), forms)
	}
	return r, nil
}

// withoutSecrets is as much of an address as can be shown.
func withoutSecrets(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return scheme + "://" + rest
}

// Ours is the bundled builder's buildpack that does what one of Heroku's does;
// "" if there is none.
func Ours(id string) string {
	switch id {
	case "heroku/python", "heroku/nodejs", "heroku/go", "heroku/procfile", "heroku/static":
		return "slipway/" + strings.TrimPrefix(id, "heroku/")
	case "heroku-community/static", "heroku/buildpack-static":
		return "slipway/static"
	}
	return ""
}
