// Package greeting greets.
package greeting

// To greets somebody.
func To(name string) string { return "Hello, " + name }
