package router

import (
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A page is what a browser shows where an app's answer should be. APP and HOST
// stand for the request's own; a command is set in code.
type page struct {
	title, text, command string
}

var (
	pageError = page{
		"Application error",
		"An error occurred in the application and your page could not be served. If it is yours, look into its log:",
		"slipway logs --tail -a APP",
	}
	pageCrashed = page{
		"Application error",
		"The application crashed. It is started again after a while. If it is yours, look into its log:",
		"slipway logs --tail -a APP",
	}
	pageBoot = page{
		"Application error",
		"The application took too long to start. Try again in a moment. If it is yours, look into its log:",
		"slipway logs --tail -a APP",
	}
	pageBusy = page{
		"Application error",
		"Too many requests wait for the application. Try again in a moment. If it is yours, look into its log:",
		"slipway logs --tail -a APP",
	}
	pageNoWeb = page{
		"Application error",
		"No web dynos run, so nothing can answer. If the application is yours, start one:",
		"slipway ps:scale web=1 -a APP",
	}
	pageMaintenance = page{
		"Offline for maintenance",
		"The application is being worked on. Please come back later. If it is yours, this takes it back:",
		"slipway maintenance:off -a APP",
	}
	pageBlank = page{
		"There's nothing here, yet.",
		"The application exists, but nothing was pushed to it. If it is yours, push its code:",
		"git push slipway main",
	}
	pageQuota = page{
		"Application error",
		"The owner's dyno hours of this month are used up. If the application is yours, see what used them:",
		"slipway ps -a APP",
	}
	pageRequest = page{
		"Bad request",
		"The request cannot be passed on to the application: a method, an address or header fields that it may not have. " +
			"Send a shorter or a plainer one. What was wrong is in the application's log:",
		"slipway logs --tail -a APP",
	}
	pageOurs = page{
		"Application error",
		"Slipway itself could not answer for the application. Try again in a moment. If it stays, tell whoever runs this server.",
		"",
	}
	pageUnknown = page{
		"There's nothing here, yet.",
		"No application answers at HOST. See which ones there are, or give one this domain:",
		"slipway apps\nslipway domains:add HOST -a APP",
	}
)

const pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>`

const pageStyle = `</title>
<style>
body { margin: 0; font: 17px/1.5 system-ui, sans-serif; color: #333; background: #f6f6f8; }
main { max-width: 32em; margin: 15vh auto 0; padding: 0 1.5em; }
h1 { font-size: 1.5em; font-weight: 500; }
pre { padding: .6em .9em; overflow-x: auto; background: #e9e9ef; border-radius: 4px; font-size: .9em; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1f; } pre { background: #2b2b31; } }
</style>
</head>
<body>
<main>
<h1>`

// render makes the page for one app or host. Both come from outside.
func (p page) render(app, host string) string {
	// The host of an unknown app is all there is to say; APP stays a word then.
	if app == "" {
		app = "APP"
	}
	fill := strings.NewReplacer("APP", html.EscapeString(app), "HOST", html.EscapeString(host))
	var b strings.Builder
	b.WriteString(pageHead + p.title + pageStyle + p.title + "</h1>\n<p>" + fill.Replace(p.text) + "</p>\n")
	if p.command != "" {
		b.WriteString("<pre><code>" + fill.Replace(p.command) + "</code></pre>\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}

// framed makes a page that shows another; "" if the address is none that a
// browser could show there.
func framed(title, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return pageHead + html.EscapeString(title) + frameStyle + html.EscapeString(u.String()) + "\"></iframe>\n</body>\n</html>\n"
}

const frameStyle = `</title>
<style>html, body, iframe { display: block; margin: 0; border: 0; width: 100%; height: 100%; }</style>
</head>
<body>
<iframe src="`

// write answers with the page of a failure.
func (f *failure) write(w http.ResponseWriter, r *http.Request, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if f.after != "" {
		h.Set("Retry-After", f.after)
	}
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		// A client that has gone away is not told of.
		_, _ = w.Write([]byte(text))
	}
}
