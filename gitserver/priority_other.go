//go:build !linux

package gitserver

// lowPriority does nothing where a thread has no priority of its own.
func lowPriority() {}
