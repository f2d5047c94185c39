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
// must not leave: their work, mounts and containers. [Look] tells of dynos.
func Leftovers(data string) []string {
	rest := append(RepositoryLeftovers(data, "*"), find(data, "builds/*", "engine/containers/run/*")...)
	for _, point := range mountPoints() {
		if strings.HasPrefix(point, data+"/") && !strings.HasPrefix(point, data+"/dynos/") {
			rest = append(rest, "mount "+point)
		}
	}
	return rest
}

// mountPoints lists where something is mounted.
func mountPoints() []string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		panic(err) // it is the kernel's own list
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			points = append(points, fields[4])
		}
	}
	return points
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
