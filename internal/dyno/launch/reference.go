package launch

import (
	"strings"

	"slipway/internal/dyno"
)

// Reference names a slug's image in a registry, HOST:PORT.
func Reference(registry string, s dyno.Slug) string { return registry + "/" + s.App + "@" + s.Digest }

// SlugOf reads what Reference wrote. There is none in the names that a server
// with another address left.
func SlugOf(registry, reference string) (dyno.Slug, bool) {
	rest, ok := strings.CutPrefix(reference, registry+"/")
	app, digest, found := strings.Cut(rest, "@")
	return dyno.Slug{App: app, Digest: digest}, ok && found
}
