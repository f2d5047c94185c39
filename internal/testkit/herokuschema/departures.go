package herokuschema

import (
	"errors"
	"net/url"
	"regexp"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// departures are the few patterns of the schema that only Heroku's own servers
// can keep to, or that Go's regular expressions cannot say, and what counts
// instead.
var departures = []struct{ heroku, ours string }{
	// An app's addresses are those of the server that it is on.
	{`^https://git\.heroku\.com/[a-z][a-z0-9-]{2,29}\.git$`, `^https?://[^/]+/[a-z][a-z0-9-]{2,29}\.git$`},
	{`^https?://[a-z][a-z0-9-]{3,43}\.herokuapp\.com/$`, `^https?://[a-z][a-z0-9-]{2,43}\.[^/]+/$`},
	// The same, without looking ahead.
	{`^[a-z0-9](?:[a-z0-9]|-(?!-))+[a-z0-9]$`, `^[a-z0-9]+(?:-[a-z0-9]+)*$`},
}

// hostname is what the schema calls a uri too, as the host names of domains are.
var hostname = regexp.MustCompile(`^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// uri is an absolute address, or a host name.
var uri = &jsonschema.Format{Name: "uri", Validate: func(value any) error {
	text, is := value.(string)
	if !is || hostname.MatchString(text) {
		return nil
	}
	if u, err := url.Parse(text); err != nil || u.Scheme == "" {
		return errors.New("it is no address with a scheme, and no host name")
	}
	return nil
}}
