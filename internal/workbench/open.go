package workbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"slipway/buildpacks/detector"
)

// A DetectCloser is a Detector that holds something open.
type DetectCloser interface {
	Detector
	io.Closer
}

// An Opener opens what to detect with.
type Opener func(ctx context.Context, s detector.Source) (DetectCloser, error)

// OpenBuilder opens a source with [detector.Open].
func OpenBuilder(ctx context.Context, s detector.Source) (DetectCloser, error) {
	b, err := detector.Open(ctx, s)
	if err != nil {
		return nil, err // not a nil *Builder in an interface
	}
	return b, nil
}

// opened are the sources in use, each opened once, by whoever comes first.
type opened struct {
	open Opener

	mu  sync.Mutex
	all map[string]*opening
}

type opening struct {
	once sync.Once
	d    DetectCloser
	err  error
}

func newOpened(open Opener) *opened {
	if open == nil {
		open = OpenBuilder
	}
	return &opened{open: open, all: make(map[string]*opening)}
}

func (o *opened) get(ctx context.Context, s detector.Source) (Detector, error) {
	key := strings.Join(slices.Concat([]string{s.Builder, s.Target}, s.Buildpacks), "\x00")
	o.mu.Lock()
	one := o.all[key]
	if one == nil {
		one = &opening{}
		o.all[key] = one
	}
	o.mu.Unlock()
	one.once.Do(func() {
		if one.d, one.err = o.open(ctx, s); one.err != nil {
			one.err = fmt.Errorf("open buildpacks: %w", one.err)
		}
	})
	return one.d, one.err
}

// close closes all; once more does nothing.
func (o *opened) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for key, one := range o.all {
		if one.d != nil {
			errs = append(errs, one.d.Close())
		}
		delete(o.all, key)
	}
	return errors.Join(errs...)
}
