package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	clog "github.com/containerd/log"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
	bolt "go.etcd.io/bbolt"
	"go.uber.org/zap"
)

const (
	overlayDriver = "overlayfs"
	nativeDriver  = "native"
	// namespace is containerd's word for a tenant; there is only one.
	namespace = "slipway"
)

// Config configures a [Store].
type Config struct {
	// Dir holds the images; required. One Store at a time may use it.
	Dir string
	// Snapshotter is "overlayfs" or "native"; if empty, overlayfs where the
	// file system of Dir allows it, else native.
	Snapshotter string
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// A Store keeps images: blobs in a content store, layers unpacked by a
// snapshotter, names in a bolt file. All that is asked often is also in
// memory, so that inspecting an image or making a container reads no disk.
type Store struct {
	// ctx carries the containerd namespace and nothing else; it never ends.
	ctx     context.Context //nolint:containedctx // containerd reads its namespace from a context
	driver  string
	bolt    *bolt.DB
	closers []func() error
	db      *metadata.DB
	content content.Store
	snaps   snapshots.Snapshotter
	names   images.Store
	applier diff.Applier
	log     *zap.Logger

	// collecting is held for reading by whoever adds content, which until
	// it has a name looks like garbage, and for writing by the collector.
	collecting sync.RWMutex
	wake       chan struct{}
	stop       chan struct{}
	stopped    sync.WaitGroup

	mu    sync.Mutex
	byID  map[digest.Digest]*Image
	byTag map[string]*Image
}

// Open opens the images in cfg.Dir, and removes the containers' copies that a
// killed predecessor left. The caller closes the Store.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	s := &Store{
		ctx:   withNamespace(context.WithoutCancel(ctx)),
		log:   cfg.Log,
		wake:  make(chan struct{}, 1),
		stop:  make(chan struct{}),
		byID:  make(map[digest.Digest]*Image),
		byTag: make(map[string]*Image),
	}
	if err := s.open(ctx, cfg.Dir, cfg.Snapshotter); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	s.stopped.Go(s.collect)
	return s, nil
}

func (s *Store) open(ctx context.Context, dir, driver string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make image store: %w", err)
	}
	backend, err := s.openSnapshotter(dir, driver)
	if err != nil {
		return err
	}
	blobs, err := local.NewStore(filepath.Join(dir, "content"))
	if err != nil {
		return fmt.Errorf("open content store: %w", err)
	}
	s.bolt, err = bolt.Open(filepath.Join(dir, "images.db"), 0o600, &bolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		return fmt.Errorf("open image names: %w", err)
	}
	s.closers = append(s.closers, s.bolt.Close)
	s.db = metadata.NewDB(s.bolt, blobs, map[string]snapshots.Snapshotter{s.driver: backend})
	if err := s.db.Init(ctx); err != nil {
		return fmt.Errorf("open image names: %w", err)
	}
	s.content = s.db.ContentStore()
	s.snaps = s.db.Snapshotter(s.driver)
	s.names = metadata.NewImageStore(s.db)
	s.applier = applier{s.content}
	return s.read()
}

// openSnapshotter takes overlayfs if the file system allows it. Once chosen,
// the driver stays, because layers are unpacked for one driver only.
func (s *Store) openSnapshotter(dir, driver string) (snapshots.Snapshotter, error) {
	if driver == "" {
		driver = overlayDriver
		if _, err := os.Stat(filepath.Join(dir, nativeDriver)); err == nil {
			driver = nativeDriver
		} else if err := overlayutils.Supported(dir); err != nil {
			s.log.Warn("no overlayfs here, containers are copies and start slowly", zap.Error(err))
			driver = nativeDriver
		}
	}
	var (
		backend snapshots.Snapshotter
		err     error
	)
	switch root := filepath.Join(dir, driver); driver {
	case overlayDriver:
		backend, err = overlay.NewSnapshotter(root)
	case nativeDriver:
		backend, err = native.NewSnapshotter(root)
	default:
		return nil, fmt.Errorf("unknown snapshotter %q: want %s or %s", driver, overlayDriver, nativeDriver)
	}
	if err != nil {
		return nil, fmt.Errorf("open snapshotter: %w", err)
	}
	s.driver = driver
	s.closers = append(s.closers, backend.Close)
	return backend, nil
}

// with gives ctx what containerd's libraries look for in it.
func (s *Store) with(ctx context.Context) context.Context { return withNamespace(ctx) }

// withNamespace also keeps their log lines, which repeat what they return, off
// the server's standard error.
func withNamespace(ctx context.Context) context.Context {
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	return clog.WithLogger(namespaces.WithNamespace(ctx, namespace), logrus.NewEntry(quiet))
}

// Driver is the snapshotter in use: "overlayfs" or "native".
func (s *Store) Driver() string { return s.driver }

// Close waits for what is deleted in the background. No image may be held.
func (s *Store) Close() error {
	close(s.stop)
	s.stopped.Wait()
	return s.closeFiles()
}

func (s *Store) closeFiles() error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}

// collect deletes what no image refers to, whenever somebody asks for it.
func (s *Store) collect() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		// Whoever is adding content asks again when done.
		if !s.collecting.TryLock() {
			continue
		}
		_, err := s.db.GarbageCollect(s.ctx)
		s.collecting.Unlock()
		if err != nil {
			s.log.Warn("images not collected", zap.Error(err))
		}
	}
}

func (s *Store) askCollect() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// adding brackets work that adds content: defer s.adding()().
func (s *Store) adding() func() {
	s.collecting.RLock()
	return func() {
		s.collecting.RUnlock()
		s.askCollect()
	}
}
