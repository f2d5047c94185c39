package static

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// pattern writes a pattern of static.json as a regular expression: "**" is
// anything, "*" anything within one part of a path. A path that ends in a slash
// stands for itself alone.
func pattern(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	var re strings.Builder
	re.WriteString("^")
	for i := 0; i < len(p); {
		switch {
		case strings.HasPrefix(p[i:], "**"):
			re.WriteString(".*")
			i += 2
		case p[i] == '*':
			re.WriteString("[^/]*")
			i++
		default:
			end := i + strings.IndexByte(p[i:]+"*", '*')
			re.WriteString(regexp.QuoteMeta(p[i:end]))
			i = end
		}
	}
	return re.String() + "$"
}

// literal keeps the file server from reading a text of the app as a placeholder.
func literal(text string) string { return strings.ReplaceAll(text, "{", `\{`) }

var variable = regexp.MustCompile(`\$\\\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// interpolate is literal, but for ${VARIABLE}, whose value at launch is meant.
func interpolate(text string) string { return variable.ReplaceAllString(literal(text), "{env.$1}") }

// hexHash matches eight hexadecimal digits or more of which one is a letter, so
// that a date is none.
func hexHash() string {
	const short = 8
	var ways []string
	for digits := range short {
		ways = append(ways, fmt.Sprintf("[0-9]{%d}[a-f][0-9a-f]{%d,}", digits, short-1-digits))
	}
	return strings.Join(append(ways, fmt.Sprintf("[0-9]{%d,}[a-f][0-9a-f]*", short)), "|")
}

// hashed matches the paths of files whose names change with their content: those
// with a hash in them, and where site generators put all such files.
func (b *build) hashed() string {
	ways := []string{
		`^.*[.-](?:` + hexHash() + `)(?:\.[A-Za-z0-9]+){1,3}$`,
		`^/_next/static/.+`, `^/_nuxt/.+\..+`, `^/_astro/.+`, `^/_app/immutable/.+`,
	}
	// Vite's hashes are no more than eight letters, as many words are.
	for _, name := range []string{"vite.config.*", filepath.Join(b.root, ".vite", "manifest.json")} {
		if found, err := filepath.Glob(b.appFile(name)); err == nil && len(found) > 0 {
			ways = append(ways, `^/assets/.+-[A-Za-z0-9_-]{8}\.[A-Za-z0-9]+$`)
			break
		}
	}
	return strings.Join(ways, "|")
}
