package router

import (
	"time"

	"go.uber.org/zap"
)

// Config configures a [Router]. Its zero value is usable except for Apps. The
// times are Heroku's where they are not set.
type Config struct {
	Apps   Apps   // required
	Domain string // apps answer at APP.Domain; only at their own domains if ""

	// Log gets the router's line of each request, for the app's log. It must
	// not block. Nothing is logged if nil.
	Log func(app, line string)
	// Logger gets what is wrong with this server; nothing if nil.
	Logger *zap.Logger

	Proto   string // X-Forwarded-Proto of requests without TLS; "http" if ""
	Port    string // X-Forwarded-Port of requests without TLS; "80" if ""
	TLSPort string // X-Forwarded-Port of requests with TLS; "443" if ""

	WakeTimeout time.Duration // how long a request waits for a dyno; 75s if zero
	DialTimeout time.Duration // to connect to a dyno; 5s if zero
	FirstByte   time.Duration // for a dyno to begin its answer; 30s if zero
	Idle        time.Duration // without a byte in either direction; 55s if zero

	Attempts  int           // dynos that are tried for one request; 6 if zero
	MaxIdle   int           // connections kept for each dyno; 128 if zero
	KeepAlive time.Duration // how long a connection is kept; 30s if zero

	MaxURL            int // bytes of a request's path and query; 8 KiB if zero
	MaxHeader         int // bytes of a request's header fields; 64 KiB if zero
	MaxResponseHeader int // bytes of a dyno's header fields; 256 KiB if zero
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	c.Proto = orString(c.Proto, "http")
	c.Port = orString(c.Port, "80")
	c.TLSPort = orString(c.TLSPort, "443")
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.WakeTimeout, 75 * time.Second},
		{&c.DialTimeout, 5 * time.Second},
		{&c.FirstByte, 30 * time.Second},
		{&c.Idle, 55 * time.Second},
		{&c.KeepAlive, 30 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, n := range []struct {
		field *int
		value int
	}{
		{&c.Attempts, 6},
		{&c.MaxIdle, 128},
		{&c.MaxURL, 8 << 10},
		{&c.MaxHeader, 64 << 10},
		{&c.MaxResponseHeader, 256 << 10},
	} {
		if *n.field <= 0 {
			*n.field = n.value
		}
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	return c
}

func orString(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
