package build

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/BurntSushi/toml"
	projectTypes "github.com/buildpacks/pack/pkg/project/types"
)

// unfoldInline writes the buildpacks that a project.toml spells out to dir,
// and has the descriptor name them there. Pack would do so too, but leaves
// what it writes in the system's directory for temporary files.
//
// It reports whether all buildpacks that pack will add to the builder are the
// pusher's own code, or the builder's: by their URIs, own tells that.
func unfoldInline(dir string, d *projectTypes.Descriptor, own func(uri string) bool) (onlyOwn bool, err error) {
	onlyOwn = true
	for _, group := range []*[]projectTypes.Buildpack{&d.Build.Buildpacks, &d.Build.Pre.Buildpacks, &d.Build.Post.Buildpacks} {
		for i, bp := range *group {
			switch {
			case bp.URI != "":
				onlyOwn = onlyOwn && own(bp.URI)
				continue
			case bp.Script.Inline == "":
				continue
			case bp.Script.API == "":
				return false, refuse(ErrSource, "project.toml spells out the buildpack %q without its api.", bp.ID)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				return false, fmt.Errorf("write inline buildpack: %w", err)
			}
			to := filepath.Join(dir, strconv.Itoa(len(entries)))
			if err := writeInline(to, bp); err != nil {
				return false, fmt.Errorf("write inline buildpack: %w", err)
			}
			(*group)[i] = projectTypes.Buildpack{URI: to}
		}
	}
	return onlyOwn, nil
}

func writeInline(to string, bp projectTypes.Buildpack) error {
	if err := os.MkdirAll(filepath.Join(to, "bin"), 0o755); err != nil {
		return err
	}
	var descriptor bytes.Buffer
	err := toml.NewEncoder(&descriptor).Encode(map[string]any{
		"api":       bp.Script.API,
		"buildpack": map[string]any{"id": bp.ID, "version": firstOf(bp.Version, "0.0.0")},
		"stacks":    []map[string]any{{"id": "*"}},
		"targets":   []map[string]any{{"os": "linux"}},
	})
	if err != nil {
		return err
	}
	shell := firstOf(bp.Script.Shell, "/bin/sh")
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"buildpack.toml": {descriptor.String(), 0o644},
		"bin/detect":     {"#!" + shell + "\n\nexit 0\n", 0o755},
		"bin/build":      {"#!" + shell + "\n\n" + bp.Script.Inline + "\n", 0o755},
	} {
		file := filepath.Join(to, name)
		if err := os.WriteFile(file, []byte(f.text), f.mode); err != nil {
			return err
		}
		if err := os.Chmod(file, f.mode); err != nil { // the umask may have taken bits
			return err
		}
	}
	return nil
}
