// Package api is the JSON API over HTTP, in the shape of the Heroku Platform
// API v3: the subset that Slipway has. Its bodies are declared in
// [slipway/internal/wire].
package api
