// Package disk measures what directories take of a file system, and what the
// file system has left. The directories may be written by a process that is
// not trusted, while they are measured.
package disk
