// Package client is a Go client of Slipway's API. It is what the command line
// uses. A [Client] may be used by several goroutines at once.
package client
