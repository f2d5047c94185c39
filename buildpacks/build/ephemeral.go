package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// ephemeralPrefix begins the names of images that pack makes for one build:
// builders with added buildpacks, lifecycles with the app's directory.
const ephemeralPrefix = "pack.local/"

// imagesFile lists them in a build's directory, for after a crash.
const imagesFile = "images"

// ImageInspect notes the images that pack has made: it looks at each.
func (s *session) ImageInspect(ctx context.Context, ref string, o ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	if strings.HasPrefix(ref, ephemeralPrefix) {
		if err := s.noteImage(ref); err != nil {
			return client.ImageInspectResult{}, err
		}
	}
	return s.Engine.ImageInspect(ctx, ref, o...)
}

func (s *session) noteImage(ref string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.images[ref] {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(s.dir, imagesFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("note image of build: %w", err)
	}
	_, err = f.WriteString(ref + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("note image of build: %w", err)
	}
	s.images[ref] = true
	return nil
}

// ImageRemove removes an image within cleanFor.
func (s *session) ImageRemove(ctx context.Context, ref string, o client.ImageRemoveOptions) (client.ImageRemoveResult, error) {
	ctx, cancel := context.WithTimeout(ctx, cleanFor)
	defer cancel()
	res, err := s.Engine.ImageRemove(ctx, ref, o)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.images, ref)
	}
	return res, err
}

func removeImage(ctx context.Context, e Engine, ref string) error {
	_, err := e.ImageRemove(ctx, ref, client.ImageRemoveOptions{Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove image %s: %w", ref, err)
	}
	return nil
}

// sweepBuilds removes the directories of builds that a killed server ran, and
// the images that they name.
func sweepBuilds(ctx context.Context, e Engine, dir string) error {
	lists, err := filepath.Glob(filepath.Join(dir, "*", imagesFile))
	if err != nil {
		return fmt.Errorf("list builds of last run: %w", err)
	}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			return fmt.Errorf("read images of last run: %w", err)
		}
		for ref := range strings.FieldsSeq(string(data)) {
			if !strings.HasPrefix(ref, ephemeralPrefix) {
				continue
			}
			if err := removeImage(ctx, e, ref); err != nil {
				return err
			}
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove builds of last run: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	return nil
}
