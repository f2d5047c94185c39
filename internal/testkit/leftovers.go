package testkit

import (
	"os"
	"path/filepath"
	"strings"
)

// Leftovers lists what pushes that have ended must not leave in a server's data
// directory: quarantines, lock files, work of builds, mounts.
func Leftovers(data string) []string {
	var rest []string
	for _, pattern := range []string{
		"repositories/*.git/objects/quarantine*",
		"repositories/*.git/objects/*tmp*",
		"repositories/*.git/objects/pack/*tmp*",
		"repositories/*.git/*.lock",
		"repositories/*.git/refs/*/*.lock",
		"builds/*",
	} {
		found, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			panic("bad pattern " + pattern) // a bug of this file
		}
		rest = append(rest, found...)
	}
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
