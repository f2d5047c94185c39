package detector

import (
	"io"
	"os"
	"strings"

	"github.com/buildpacks/lifecycle/platform/files"
)

// distroOf reads the distribution out of a root file system's os-release, or
// this machine's if root is "". It is empty, not nil, if there is none.
func distroOf(root string) *files.OSDistro {
	d := &files.OSDistro{}
	if root == "" {
		root = "/"
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return d
	}
	defer func() { _ = r.Close() }() // it was only read
	f, err := r.Open("etc/os-release")
	if err != nil {
		return d
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return d
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `" `)
		switch key {
		case "ID":
			d.Name = value
		case "VERSION_ID":
			d.Version = value
		}
	}
	return d
}
