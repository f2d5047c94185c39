package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"slipway/buildpacks"
)

// translate tells a builder that is not ours which Python the app wants. Ours
// reads runtime.txt; others ignore it or fail on it, and read .python-version.
// Only the build's copy of the app changes.
func translate(dir string, plan *buildpacks.Plan, builder string, t *transcript) error {
	if plan == nil || plan.Language != "python" || plan.Version.Origin != "runtime.txt" || plan.Version.Requested == "" {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("translate runtime.txt: %w", err)
	}
	defer func() { _ = root.Close() }() // only a handle
	if err := root.Remove("runtime.txt"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("translate runtime.txt: %w", err)
	}
	if err := root.Remove(".python-version"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("translate runtime.txt: %w", err)
	}
	version := strings.TrimPrefix(plan.Version.Requested, "python-")
	if err := root.WriteFile(".python-version", []byte(version+"\n"), 0o644); err != nil {
		return fmt.Errorf("translate runtime.txt: %w", err)
	}
	if err := root.Chtimes(".python-version", appTime, appTime); err != nil {
		return fmt.Errorf("translate runtime.txt: %w", err)
	}
	t.note("-----> Translating runtime.txt for " + builder)
	t.note(detail + "It reads " + filepath.Join(".", ".python-version") + ", which says " + version + " in this build.")
	return nil
}
