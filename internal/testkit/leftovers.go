package testkit

import (
	"os"
	"path/filepath"
	"strings"
)

// RepositoryLeftovers lists what pushes that have ended must not leave in the
// repositories of the apps whose names match the pattern: quarantines, lock
// files, half-written files.
func RepositoryLeftovers(data, apps string) []string {
	at := "repositories/" + apps + ".git/"
	return find(data, at+"objects/*tmp*", at+"objects/pack/*tmp*", at+"*.lock", at+"refs/*/*.lock")
}

// Leftovers lists that for all repositories, and what builds that have ended
// must not leave: their work, mounts, containers and control groups.
func Leftovers(data string) []string {
	rest := append(RepositoryLeftovers(data, "*"), find(data, "builds/*", "engine/containers/run/*")...)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return append(rest, err.Error())
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], data+"/") {
			rest = append(rest, "mount "+fields[4])
		}
	}
	return rest
}

func find(data string, patterns ...string) []string {
	var rest []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			panic("bad pattern " + pattern) // a bug of this file
		}
		rest = append(rest, found...)
	}
	return rest
}
