// Package wire declares the bodies that the API and its clients exchange, and
// the messages of an attached one-off dyno. Their shapes follow the Heroku
// Platform API v3; only what Slipway has is here.
package wire
