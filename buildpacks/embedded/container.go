package embedded

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"slipway/internal/bundle"
	"slipway/internal/images"
)

// defaultPath is Docker's, for images that name none.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// A container is one that pack has created and not yet removed.
type container struct {
	id      string
	created time.Time
	image   *images.Image
	config  *containertypes.Config
	host    *containertypes.HostConfig
	binds   []bindMount
	network *joined
	bundle  *bundle.Container
	process bundle.Process
	user    string

	done    chan struct{} // closed when the exit code may be told
	removal sync.Once
	failed  error // of removal

	mu       sync.Mutex
	streams  []*stream
	state    containertypes.ContainerState
	started  time.Time
	finished time.Time
	code     int
	err      error
}

func newID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// ContainerCreate implements DockerClient. The container's files can be copied
// to and from at once. What the engine cannot do is refused, not ignored,
// where ignoring it would open something.
func (e *Engine) ContainerCreate(ctx context.Context, o client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	if err := checkCreate(&o); err != nil {
		return client.ContainerCreateResult{}, fmt.Errorf("create container: %w", err)
	}
	c := &container{
		id:      newID(),
		created: time.Now(),
		config:  o.Config,
		host:    o.HostConfig,
		state:   containertypes.StateCreated,
		done:    make(chan struct{}),
	}
	e.mu.Lock()
	e.containers[c.id] = c
	e.mu.Unlock()
	if err := e.create(ctx, c); err != nil {
		return client.ContainerCreateResult{}, errors.Join(fmt.Errorf("create container: %w", err), e.remove(ctx, c))
	}
	return client.ContainerCreateResult{ID: c.id}, nil
}

func checkCreate(o *client.ContainerCreateOptions) error {
	if o.Config == nil {
		o.Config = &containertypes.Config{}
	}
	if o.HostConfig == nil {
		o.HostConfig = &containertypes.HostConfig{}
	}
	if o.Config.Image == "" {
		o.Config.Image = o.Image
	}
	switch h := o.HostConfig; {
	case o.Config.Tty:
		return invalid("terminals are not supported by the embedded engine")
	case h.Privileged:
		return invalid("privileged containers are not supported by the embedded engine")
	case len(h.CapAdd) > 0:
		return invalid("added capabilities are not supported by the embedded engine")
	case h.ReadonlyRootfs:
		return invalid("read-only root file systems are not supported by the embedded engine")
	case len(h.Mounts) > 0:
		return invalid("mounts are not supported by the embedded engine, binds are")
	case h.PidMode != "" || h.IpcMode == "host" || h.UTSMode != "":
		return invalid("shared namespaces are not supported by the embedded engine")
	}
	return nil
}

func (e *Engine) create(ctx context.Context, c *container) (err error) {
	if c.image, err = e.images.Acquire(c.config.Image); err != nil {
		return err
	}
	if c.network, err = e.nets.join(ctx, string(c.host.NetworkMode)); err != nil {
		return err
	}
	if c.binds, err = e.volumes.bindAll(c.host.Binds); err != nil {
		return err
	}
	hostname := c.config.Hostname
	if hostname == "" {
		hostname = c.id[:12]
	}
	spec := bundle.Spec{
		ID:       c.id,
		Hostname: hostname,
		NetNS:    c.network.path,
		ShmSize:  c.host.ShmSize,
		Files: map[string]string{
			"/etc/hosts":       "127.0.0.1\tlocalhost " + hostname + "\n",
			"/etc/hostname":    hostname + "\n",
			"/etc/resolv.conf": c.network.resolv,
		},
		Limits:  limits(c.host.Resources),
		Prepare: func(root *bundle.Root) error { return c.populate(root) },
	}
	for _, b := range c.binds {
		spec.Mounts = append(spec.Mounts, b.Mount)
	}
	layers, err := e.images.Layers(ctx, c.image, c.id)
	if err != nil {
		return err
	}
	spec.Lower, spec.Dir = layers.Lower, layers.Dir
	if c.bundle, err = e.runtime.Create(ctx, spec); err != nil {
		return err
	}
	return c.resolve(hostname)
}

func (c *container) populate(root *bundle.Root) error {
	for _, b := range c.binds {
		if b.fresh {
			if err := populate(root, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func limits(r containertypes.Resources) bundle.Limits {
	l := bundle.Limits{Memory: r.Memory, NanoCPUs: r.NanoCPUs}
	if l.NanoCPUs == 0 && r.CPUQuota > 0 {
		period := r.CPUPeriod
		if period == 0 {
			period = 100_000
		}
		l.NanoCPUs = r.CPUQuota * 1e9 / period
	}
	if r.PidsLimit != nil && *r.PidsLimit > 0 {
		l.Pids = *r.PidsLimit
	}
	return l
}

// resolve works out what the container will run, from its own configuration
// and its image's.
func (c *container) resolve(hostname string) error {
	img := c.image.Config.Config
	entrypoint, cmd := c.config.Entrypoint, c.config.Cmd
	if len(entrypoint) == 0 {
		entrypoint = img.Entrypoint
		if len(cmd) == 0 {
			cmd = img.Cmd
		}
	} else if len(entrypoint) == 1 && entrypoint[0] == "" {
		// Docker's word for none.
		entrypoint = nil
	}
	args := slices.Concat(entrypoint, cmd)
	if len(args) == 0 {
		return invalid("no command specified")
	}
	c.user = c.config.User
	if c.user == "" {
		c.user = img.User
	}
	user, err := c.bundle.User(c.user)
	if err != nil {
		return err
	}
	dir := c.config.WorkingDir
	if dir == "" {
		dir = img.WorkingDir
	}
	c.process = bundle.Process{
		Args:            args,
		Env:             environment(hostname, img.Env, c.config.Env),
		Dir:             dir,
		User:            user,
		NoNewPrivileges: noNewPrivileges(c.host.SecurityOpt),
		DropCaps:        capNames(c.host.CapDrop),
	}
	return nil
}

// noNewPrivileges reads Docker's spellings: "no-new-privileges",
// "no-new-privileges=true" and with a colon.
func noNewPrivileges(options []string) bool {
	for _, o := range options {
		name, value, _ := strings.Cut(strings.Replace(o, ":", "=", 1), "=")
		if name == "no-new-privileges" {
			return value == "" || value == "true"
		}
	}
	return false
}

// capNames spells capabilities as the kernel does; Docker takes them with and
// without their prefix.
func capNames(list []string) []string {
	names := make([]string, len(list))
	for i, name := range list {
		names[i] = strings.ToUpper(name)
		if names[i] != "ALL" && !strings.HasPrefix(names[i], "CAP_") {
			names[i] = "CAP_" + names[i]
		}
	}
	return names
}

// environment merges variables; the last of a name wins. A name without "="
// takes the variable away.
func environment(hostname string, lists ...[]string) []string {
	env := []string{defaultPath, "HOSTNAME=" + hostname}
	for _, list := range lists {
		for _, v := range list {
			name, _, set := strings.Cut(v, "=")
			env = slices.DeleteFunc(env, func(have string) bool { return strings.HasPrefix(have, name+"=") })
			if set {
				env = append(env, v)
			}
		}
	}
	return env
}

func (e *Engine) container(id string) (*container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.containers[id]; ok {
		return c, nil
	}
	return nil, notFound("container", id)
}

// ContainerRemove implements DockerClient. With Force, every process of the
// container is killed first; when it returns, none is left.
func (e *Engine) ContainerRemove(ctx context.Context, id string, o client.ContainerRemoveOptions) (client.ContainerRemoveResult, error) {
	c, err := e.container(id)
	if err != nil {
		return client.ContainerRemoveResult{}, err
	}
	c.mu.Lock()
	running := c.state == containertypes.StateRunning
	c.mu.Unlock()
	if running && !o.Force {
		return client.ContainerRemoveResult{}, conflict("container %s is running", id)
	}
	return client.ContainerRemoveResult{}, e.remove(ctx, c)
}

// remove gives back what create took, however far that came.
func (e *Engine) remove(ctx context.Context, c *container) error {
	c.removal.Do(func() { c.failed = e.removeOnce(ctx, c) })
	return c.failed
}

func (e *Engine) removeOnce(ctx context.Context, c *container) error {
	ctx = context.WithoutCancel(ctx) // bounded by the bundle's own time-outs
	c.closeStreams()
	var errs []error
	c.abandon()
	if c.bundle != nil {
		if err := c.bundle.Remove(ctx); err != nil {
			errs = append(errs, err)
		} else {
			<-c.done // every process is gone, and no reader is waited for
		}
	}
	if c.image != nil {
		errs = append(errs, e.images.Drop(ctx, c.id), e.images.Release(ctx, c.image))
	}
	e.volumes.releaseAll(c.binds)
	if c.network != nil {
		errs = append(errs, c.network.leave())
	}
	e.mu.Lock()
	delete(e.containers, c.id)
	e.mu.Unlock()
	return errors.Join(errs...)
}
