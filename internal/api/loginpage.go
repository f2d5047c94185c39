package api

import (
	"bytes"
	"html/template"
	"net/http"
)

// A page is what the sign-in page shows.
type page struct {
	Description, From string // of the command line that waits
	Wrong             bool   // the token was wrong
	Error             string // why else it cannot be
	User              string // who has signed in
	Gone              bool   // nothing waits
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to Slipway</title>
<style>
body { font: 1rem/1.5 sans-serif; max-width: 34rem; margin: 10vh auto; padding: 0 1rem; color: #222; background: #fff }
input, button { font: inherit; padding: .4rem .6rem } input { width: 100%; box-sizing: border-box; margin: .3rem 0 .8rem }
.bad { color: #a00 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } .bad { color: #f88 } }
</style>
{{if .Gone}}<h1>Nobody waits here</h1>
<p>The command line that began this has been signed in, or has given up. Begin again with <code>heroku login</code>.</p>
{{else if .User}}<h1>You are signed in</h1>
<p>The command line now acts as {{.User}}. You can close this page.</p>
{{else}}<h1>Sign in to Slipway</h1>
<p>A command line at {{.From}} wants to act as you{{with .Description}}: “{{.}}”{{end}}. <strong>Go on only if you began this yourself, just now.</strong></p>
{{if .Wrong}}<p class="bad" role="alert">This token is unknown here, or no longer valid. Try another.</p>{{end}}
{{with .Error}}<p class="bad" role="alert">{{.}}</p>{{end}}
<form method="post">
<label>Your token <input type="password" name="token" required autofocus autocomplete="current-password"></label>
<button>Sign in</button>
</form>
<p>Whoever runs this server makes tokens with <code>slipway users:add</code>; the first one is in its data directory, as <code>admin-token</code>.</p>
{{end}}`))

// writePage writes the sign-in page. Nothing may be loaded into it, and it into
// nothing.
func writePage(w http.ResponseWriter, status int, p page) {
	var body bytes.Buffer
	if err := loginPage.Execute(&body, p); err != nil { // a bug: it is text in a buffer
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client is gone: nobody is left to tell
}
