package slugs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"go.uber.org/zap"
)

// An Action is what a request does to a repository.
type Action string

// The actions that a sign-in can be asked for.
const (
	Pull Action = "pull"
	Push Action = "push"
	// Replace is asked for after Push, when a request would delete an image or
	// set a tag that only the server sets: vN, latest and build-….
	Replace Action = "replace"
)

// Config configures a [Registry]. Dir and Authorize are required.
type Config struct {
	// Dir holds the images; it is made if it is missing.
	Dir string
	// Authorize decides whether token may do action on repository; repository
	// is "" for the version check, which names none, and [Catalogue] for the list
	// of all repositories. It returns nil, [ErrUnauthorized], [ErrForbidden]
	// or [ErrReleased].
	// Tokens made by Grant are never passed to it.
	Authorize func(ctx context.Context, token, repository string, action Action) error
	// Log is where the registry's own words go; nothing is logged if nil.
	Log *zap.Logger
}

// A Registry stores images and serves them over HTTP. It is an http.Handler for
// the paths below /v2/. It holds nothing that must be closed.
type Registry struct {
	cfg    Config
	log    *zap.Logger
	app    http.Handler
	driver driver.StorageDriver
	images distribution.Namespace
	grants grants

	// writing is held for reading by whatever stores blobs that no manifest
	// names yet, and for writing by Sweep, which would take them for garbage.
	writing sync.RWMutex
}

var _ http.Handler = (*Registry)(nil)

// Open opens the registry in cfg.Dir.
func Open(ctx context.Context, cfg Config) (*Registry, error) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	log := cfg.Log.Named("slugs")
	quietLibrary(log)
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make registry: %w", err)
	}
	secret, err := loadSecret(filepath.Join(cfg.Dir, "secret"))
	if err != nil {
		return nil, err
	}
	root := filepath.Join(cfg.Dir, "images")
	conf := &configuration.Configuration{
		Version: "0.1",
		Storage: configuration.Storage{
			"filesystem": configuration.Parameters{"rootdirectory": root, "maxthreads": 100},
			"delete":     configuration.Parameters{"enabled": true},
			"maintenance": configuration.Parameters{
				// Sweep does this: the library's purger cannot be stopped.
				"uploadpurging": map[any]any{"enabled": false},
			},
			// No blob cache: it would go on naming blobs that Sweep took.
		},
	}
	conf.HTTP.Secret = secret
	conf.HTTP.RelativeURLs = true
	conf.Log.AccessLog.Disabled = true
	drv := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	images, err := storage.NewRegistry(ctx, drv, storage.EnableDelete)
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	return &Registry{
		cfg: cfg, log: log, driver: drv, images: images,
		app:    handlers.NewApp(ctx, conf),
		grants: grants{tokens: map[string]grant{}},
	}, nil
}

// loadSecret reads the key that signs upload sessions, so that an upload
// survives a restart of the server. It makes the key the first time.
func loadSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil && len(b) >= 32 {
		return string(b), nil
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("make registry secret: %w", err)
	}
	secret := hex.EncodeToString(key)
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		return "", fmt.Errorf("write registry secret: %w", err)
	}
	return secret, nil
}

// ServeHTTP answers the OCI distribution protocol. Every request needs a
// sign-in, as Basic (any user name, the token as password) or Bearer.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	action, err := r.authorize(req)
	if err != nil {
		deny(w, err)
		return
	}
	if action == Push {
		r.writing.RLock()
		defer r.writing.RUnlock()
	}
	r.app.ServeHTTP(w, req)
}

// HoldSweep keeps [Registry.Sweep] from running until release is called. A
// build holds it from its first blob until its slug is tagged.
func (r *Registry) HoldSweep() (release func()) {
	r.writing.RLock()
	return sync.OnceFunc(r.writing.RUnlock)
}
