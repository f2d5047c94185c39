package gitserver

import (
	"fmt"
	"strings"
)

const (
	minName = 3
	maxName = 30
)

// ValidName reports whether name can be a repository's name: 3 to 30 small
// letters, digits and dashes, a letter first and no dash last.
func ValidName(name string) bool {
	if len(name) < minName || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter, inner := c >= 'a' && c <= 'z', c == '-' || c >= '0' && c <= '9'
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	return name[len(name)-1] != '-'
}

// repositoryName takes the name out of a path as clients write it: with or
// without the leading slash and the suffix .git.
func repositoryName(path string) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(path, "/"), ".git")
	if !ValidName(name) {
		return "", fmt.Errorf("%w %q", ErrName, clip(name, 2*maxName))
	}
	return name, nil
}

// clip shortens what came from outside before it is quoted.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}
