package build

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/go-units"
	"go.uber.org/zap"

	"slipway/internal/disk"
)

// A DiskMeter is an [Engine] that can tell what a build takes of the disk.
// Builds on an engine that is none are not limited in that.
type DiskMeter interface {
	// DiskDir is a directory on the file system that builds write to.
	DiskDir() string
	// DiskUsage measures what a container has written, and the volumes that
	// it may write to, caches included.
	DiskUsage(ctx context.Context, container string) (disk.Usage, error)
}

const (
	// diskEvery is how often the file system is looked at, which costs nothing.
	diskEvery = 500 * time.Millisecond
	// diskAnyway is how often a build is measured that the file system does
	// not speak against: others may free what it takes.
	diskAnyway = 15 * time.Second
	// diskPace bounds the part of the time that measuring may take.
	diskPace = 4
)

// A diskLimit ends a build that takes more of the disk than it may. It
// measures the build only when the file system has lost a part of what the
// build may still take.
type diskLimit struct {
	max   disk.Usage
	free  func() (disk.Usage, error)
	usage func(ctx context.Context, container string) (disk.Usage, error)
	log   *zap.Logger

	mu    sync.Mutex // phases follow each other, so it is never waited for
	began bool
	start disk.Usage // the most that was free since the first container
	top   disk.Usage // the most that was free since the last measurement
	left  disk.Usage // what the build might take then
	next  time.Time  // no measurement before
	late  time.Time  // a measurement then
	err   bool       // measuring failed, which was logged
}

// newDiskLimit returns nil where nothing can be measured.
func newDiskLimit(cfg Config) *diskLimit {
	m, ok := cfg.Engine.(DiskMeter)
	if !ok {
		return nil
	}
	return &diskLimit{
		max:   disk.Usage{Bytes: cfg.Disk, Files: cfg.DiskFiles},
		free:  func() (disk.Usage, error) { return disk.Free(m.DiskDir()) },
		usage: m.DiskUsage, log: cfg.Log,
	}
}

// begin notes what is free before the build's first container.
func (d *diskLimit) begin() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.began {
		return
	}
	d.began = true
	d.left, d.late = d.max, time.Now().Add(diskAnyway)
	if free, err := d.free(); err == nil { // else look says so
		d.start, d.top = free, free
	}
}

// watch returns an error once the build has taken too much, or nil when ctx
// ends.
func (d *diskLimit) watch(ctx context.Context, container string) error {
	if d == nil {
		return nil
	}
	again := time.NewTicker(diskEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		if err := d.look(ctx, container, false); err != nil {
			return err
		}
	}
}

// look measures the build where there is a reason, and returns an error if it
// has taken too much. At the end of a container there is no other occasion.
func (d *diskLimit) look(ctx context.Context, container string, end bool) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	free, err := d.free()
	if err != nil {
		d.failed(err)
		free = d.top
	}
	d.start, d.top = most(d.start, free), most(d.top, free)
	now := time.Now()
	switch {
	case !end && now.Before(d.next):
		return nil
	case d.fell(free):
	case end || now.Before(d.late):
		return nil
	}
	used, err := d.usage(ctx, container)
	if ctx.Err() != nil {
		return nil
	}
	if errdefs.IsNotFound(err) {
		return nil // it was removed
	}
	if err != nil {
		// As when folders are nested without end. Then all that the file
		// system lost is the build's doing.
		d.failed(err)
		used = minus(d.start, free)
	}
	done := time.Now()
	d.top, d.left = free, minus(d.max, used)
	d.next, d.late = done.Add(diskPace*done.Sub(now)), done.Add(diskAnyway)
	return d.judge(used)
}

// fell tells whether a quarter of what the build might still take is gone.
func (d *diskLimit) fell(free disk.Usage) bool {
	lost := minus(d.top, free)
	return lost.Bytes > max(d.left.Bytes/4, d.max.Bytes/64) || lost.Files > max(d.left.Files/4, d.max.Files/64)
}

func (d *diskLimit) failed(err error) {
	if !d.err {
		d.err = true
		d.log.Warn("disk of a build is not measured", zap.Error(err))
	}
}

// judge words an error if a build may not take that much.
func (d *diskLimit) judge(used disk.Usage) error {
	e := &Error{UserFault: true, Err: ErrDisk}
	switch {
	case used.Bytes > d.max.Bytes:
		most := units.CustomSize("%.4g %s", float64(d.max.Bytes), 1024, []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"})
		e.Text = fmt.Sprintf("The build used more than %s of disk, which is the most that it may use here.\n"+
			"Install less, or push with -o no-cache if the build cache has grown.\nThe operator of this server can allow more with --build-disk.", most)
	case used.Files > d.max.Files:
		e.Text = fmt.Sprintf("The build made more than %d files and folders, which is the most that it may make here.\n"+
			"Install less, or push with -o no-cache if the build cache has grown.\nThe operator of this server can allow more with --build-disk-files.", d.max.Files)
	default:
		return nil
	}
	return e
}

func most(a, b disk.Usage) disk.Usage {
	return disk.Usage{Bytes: max(a.Bytes, b.Bytes), Files: max(a.Files, b.Files)}
}

// minus does not fall below zero.
func minus(a, b disk.Usage) disk.Usage {
	return disk.Usage{Bytes: max(a.Bytes-b.Bytes, 0), Files: max(a.Files-b.Files, 0)}
}

// guard watches a container until stop is called, which returns why it had to
// be ended, if so. The context ends when it has to be.
func (d *diskLimit) guard(ctx context.Context, container string) (guarded context.Context, stop func() error) {
	guarded, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if err := d.watch(guarded, container); err != nil {
			cancel(err)
		}
	}()
	return guarded, func() error {
		cancel(nil)
		<-watched
		if told, ok := errors.AsType[*Error](context.Cause(guarded)); ok {
			return told
		}
		return d.look(ctx, container, true)
	}
}
