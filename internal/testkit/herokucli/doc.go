// Package herokucli runs Heroku's own command line, as npm has it, against a
// server of the tests. It never leaves this machine: loopback.mjs refuses every
// other connection, before it is made. It is used by tests only.
package herokucli
