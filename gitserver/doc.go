// Package gitserver receives pushes and serves fetches over smart HTTP and SSH,
// without a git binary.
package gitserver
