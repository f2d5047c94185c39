package static

import "strings"

func (b *build) badSettings(err error) error {
	return b.out.Fail(`Error: Unable to understand how your site is to be served.

%s.

Correct it and push again, or remove the file to have the site served
as it is.`, wrap(capital(err.Error())))
}

func (b *build) unknownSettings(file string, unknown []string) {
	b.out.Block(`Warning: Some settings in %s are ignored.

Slipway's file server doesn't know these:
%s

It knows root, clean_urls, https_only, canonical_host, error_page,
routes, redirects, headers and logging in static.json; root, pushstate,
force_https, http_strict_transport_security and status_codes in a
Staticfile.`, file, strings.Join(unknown, "\n"))
}

func (b *build) noRoot() error {
	return b.out.Fail(`Error: The directory of your site isn't there.

Your app asks for '%s' to be served, but that isn't a directory inside
your app.

If it is made by a build, commit what was built, or let the build run
in the push by setting two buildpacks:

  slipway buildpacks:set slipway/nodejs slipway/static`, b.root)
}

func (b *build) noIndex() {
	b.out.Block(`Warning: Your site has no index.html.

There is no index.html in %s, so the site's front page answers
"404 Not Found".

Add one, or name the directory that has it in a static.json:
{"root": "DIRECTORY"}`, map[bool]string{true: "the root directory of your app", false: b.root}[b.root == "."])
}

func (b *build) noErrorPage() {
	b.out.Block(`Warning: The error page of your site isn't there.

%s isn't a file in %s, so a plain text is shown
for pages that aren't found.`, b.settings.ErrorPage, b.root)
}

// capital begins a sentence, unless it begins with the name of a file.
func capital(s string) string {
	if rest, ok := strings.CutPrefix(s, "line "); ok {
		return "Line " + rest
	}
	return s
}

// wrap breaks text into lines that fit a terminal.
func wrap(text string) string {
	const width = 68
	var out strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		if i > 0 && at+1+len(word) > width {
			out.WriteString("\n")
			at = 0
		} else if i > 0 {
			out.WriteString(" ")
			at++
		}
		out.WriteString(word)
		at += len(word)
	}
	return out.String()
}
