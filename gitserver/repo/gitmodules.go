package repo

import (
	"bytes"
	"net/url"
	"strings"
)

// checkModules applies git's fsck to the content of a .gitmodules file. What
// git cannot parse it does not act upon, so that is no error.
func checkModules(b []byte) error {
	var found error
	// A malformed rest is gitmodulesParse, which is information only.
	parseConfig(b, func(v configVar) error { //nolint:errcheck // see above
		if v.section == "submodule" && v.hasSub {
			found = checkModule(v)
		}
		return found
	})
	return found
}

func checkModule(v configVar) error {
	if !validModuleName(v.sub) {
		return bad("gitmodulesName", "disallowed submodule name: "+clip(v.sub))
	}
	if !v.hasValue {
		return nil
	}
	switch v.key {
	case "url":
		if !validModuleURL(v.value) {
			return bad("gitmodulesUrl", "disallowed submodule url: "+clip(v.value))
		}
	case "path":
		if strings.HasPrefix(v.value, "-") {
			return bad("gitmodulesPath", "disallowed submodule path: "+clip(v.value))
		}
	case "update":
		if strings.HasPrefix(v.value, "!") {
			return bad("gitmodulesUpdate", "disallowed submodule update setting: "+clip(v.value))
		}
	}
	return nil
}

// clip makes text from outside printable on one line.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return '?'
		}
		return r
	}, s)
}

// validModuleName refuses names with ".." as a component.
func validModuleName(name string) bool {
	if name == "" {
		return false
	}
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return false
		}
	}
	return true
}

// validModuleURL applies git's check_submodule_url.
func validModuleURL(s string) bool {
	if strings.HasPrefix(s, "-") {
		return false
	}
	relative := strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../")
	switch {
	case !relative && !strings.HasPrefix(s, "git://"):
		return validTransportURL(s)
	case strings.Contains(percentDecode(s), "\n"):
		// What is decoded later must not hold a line end, which a credential
		// helper or a daemon would take for another line.
		return false
	}
	return !relative || validRelativeURL(s)
}

// validRelativeURL refuses "../:", which may climb up to another host.
func validRelativeURL(s string) bool {
	climbs := false
	for {
		if rest, ok := strings.CutPrefix(s, "../"); ok {
			s, climbs = rest, true
		} else if rest, ok := strings.CutPrefix(s, "./"); ok {
			s = rest
		} else {
			break
		}
	}
	return !climbs || !strings.HasPrefix(s, ":") && !strings.HasPrefix(s, "/")
}

// validTransportURL looks at what git hands to curl: there must be a host, and
// no line end in anything (git's credential_from_url_gently).
func validTransportURL(s string) bool {
	s, ok := curlURL(s)
	if !ok {
		return true
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || strings.Contains(scheme+percentDecode(rest), "\n") {
		return false
	}
	host := rest
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	if i := strings.IndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return host != ""
}

// curlURL is what curl gets to see of a URL, if it gets to see it.
func curlURL(s string) (string, bool) {
	for _, scheme := range []string{"http", "https", "ftp", "ftps"} {
		if rest, ok := strings.CutPrefix(s, scheme+"::"); ok {
			return rest, true
		}
		if strings.HasPrefix(s, scheme+"://") {
			return s, true
		}
	}
	return s, false
}

// percentDecode decodes what it can; what is malformed stays.
func percentDecode(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// maxAttributesFile and maxAttributesLine are git's limits on .gitattributes.
const (
	maxAttributesFile = 100 << 20
	maxAttributesLine = 2048
)

// checkAttributes applies git's fsck to the content of a .gitattributes file.
func checkAttributes(b []byte) error {
	if len(b) > maxAttributesFile {
		return bad("gitattributesLarge", ".gitattributes too large to parse")
	}
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		if len(line) >= maxAttributesLine {
			return bad("gitattributesLineLength", ".gitattributes has too long lines to parse")
		}
	}
	return nil
}
