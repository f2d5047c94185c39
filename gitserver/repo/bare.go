package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// IsBare says whether the repository has no work tree, as git finds out: by
// core.bare, else by the directory's name.
func (r *Repo) IsBare() (bool, error) {
	bare := filepath.Base(r.dir) != ".git"
	data, err := os.ReadFile(r.path("config"))
	if err != nil && !isNotExist(err) {
		return false, fmt.Errorf("read config: %w", err)
	}
	err = parseConfig(data, func(v configVar) error {
		if v.section == "core" && !v.hasSub && v.key == "bare" {
			bare = isTrue(v)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read config: %w", err)
	}
	return bare, nil
}

// isTrue reads a boolean (git-config(1), "Values"); what is none counts as true.
func isTrue(v configVar) bool {
	if !v.hasValue {
		return true
	}
	switch strings.ToLower(v.value) {
	case "false", "no", "off", "0", "":
		return false
	}
	return true
}
