package nodejs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpacks/libcnb"
)

const listsLayer = "lists"

// lists keeps what the registry had at the last build: it is asked only whether
// that has changed, and a build goes on where it cannot be reached.
type lists struct{ dir string }

func (l *lists) file(name string) string {
	return filepath.Join(l.dir, strings.ReplaceAll(name, "/", "+")+".json")
}

func (l *lists) read(name string) list {
	var was list
	data, err := os.ReadFile(l.file(name))
	if err != nil || json.Unmarshal(data, &was) != nil {
		return list{}
	}
	return was
}

func (l *lists) write(name string, now list) error {
	data, err := json.Marshal(now)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return fmt.Errorf("keep the list of %s: %w", name, err)
	}
	if err := os.WriteFile(l.file(name), data, 0o644); err != nil {
		return fmt.Errorf("keep the list of %s: %w", name, err)
	}
	return nil
}

// list is the releases of a package. What cannot be had is explained to the
// pusher.
func (b *build) list(ctx context.Context, name string) (list, error) {
	was := b.lists.read(name)
	now, err := b.registry.list(ctx, name, was)
	switch {
	case err != nil && isAway(err) && ctx.Err() == nil && len(was.Releases) > 0 && was.Host == b.registry.base.Host:
		b.out.Detail("The npm registry can't be reached, so its versions at the last build are used")
		now = was
	case err != nil:
		return list{}, b.registryFailure(ctx, name, err)
	}
	for i := range now.Releases {
		now.Releases[i].Package = name
	}
	return now, b.lists.write(name, now)
}

// isAway tells whether the registry may answer at another time.
func isAway(err error) bool {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.temporary()
	}
	_, ok := errors.AsType[*unreachableError](err)
	return ok
}

func (b *build) keepLists() {
	b.made = append(b.made, &layer{name: listsLayer, types: libcnb.LayerTypes{Cache: true}})
}

// A layer is a layer whose files are in place already.
type layer struct {
	name     string
	types    libcnb.LayerTypes
	metadata map[string]any
	fill     func(*libcnb.Layer) // its environment; may be nil
}

var _ libcnb.LayerContributor = (*layer)(nil)

// Name is the name of the layer.
func (l *layer) Name() string { return l.name }

// Contribute says what the layer is for.
func (l *layer) Contribute(to libcnb.Layer) (libcnb.Layer, error) {
	to.LayerTypes, to.Metadata = l.types, l.metadata
	if l.fill != nil {
		l.fill(&to)
	}
	return to, os.MkdirAll(to.Path, 0o755)
}
