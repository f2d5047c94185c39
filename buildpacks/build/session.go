package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// cleanFor bounds every removal: pack asks for them without a deadline.
const cleanFor = 20 * time.Second

// pendingMost is how much of a container's files are kept in memory, to be
// copied in at one go.
const pendingMost = 1 << 20

// A session is an Engine for one build. It stands between pack and the real
// one: it sets limits and labels, carries in the environment, takes the
// output, and knows what is left to remove.
type session struct {
	Engine
	dir       string // of the build
	instance  string
	labels    map[string]string
	resources container.Resources
	disk      *diskLimit
	env       map[string]string
	t         *transcript
	version   client.ServerVersionResult

	mu         sync.Mutex
	containers map[string]*created
	volumes    map[string]bool // of this build, by their own names
	images     map[string]bool // made by pack for this build
}

// created is a container that has not been removed.
type created struct {
	id, program string
	pending     [][]byte // archives to copy in before the start
	hasEnv      bool     // the environment has been copied in
	started     bool
	run         *run
}

// phases by the program of the lifecycle that runs them. The creator runs all,
// and says itself which.
var programPhases = map[string]string{
	"analyzer": phaseAnalyze,
	"detector": phaseDetect,
	"restorer": phaseRestore,
	"builder":  phaseBuild,
	"extender": phaseBuild,
	"exporter": phaseExport,
}

// runsBuildpacks tells which programs read the platform directory.
func runsBuildpacks(program string) bool {
	switch program {
	case "creator", "detector", "builder", "extender":
		return true
	}
	return false
}

// ServerVersion answers from memory: pack asks for each image that it opens.
func (s *session) ServerVersion(context.Context, client.ServerVersionOptions) (client.ServerVersionResult, error) {
	return s.version, nil
}

// ContainerCreate creates a container with the build's limits.
func (s *session) ContainerCreate(ctx context.Context, o client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	program := ""
	if o.Config != nil {
		cfg := *o.Config
		if len(cfg.Cmd) > 0 {
			program = path.Base(cfg.Cmd[0])
		}
		cfg.Labels = s.labels
		cfg.Env = append(slices.Clone(cfg.Env), "CNB_NO_COLOR=true")
		// Not CNB_PARALLEL_EXPORT: a layer that is both launched and cached
		// then waits half a second for its own tar (lifecycle's layers.Factory).
		o.Config = &cfg
	}
	if o.HostConfig != nil {
		host := *o.HostConfig
		host.Binds = s.ownBinds(host.Binds)
		host.Resources = s.resources
		host.CapDrop = []string{"NET_RAW", "MKNOD", "AUDIT_WRITE"}
		host.LogConfig = container.LogConfig{Type: "none"} // the output is taken from the stream
		o.HostConfig = &host
	}
	res, err := s.Engine.ContainerCreate(ctx, o)
	if err != nil {
		return res, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.containers[res.ID] = &created{id: res.ID, program: program, run: newRun()}
	return res, nil
}

func (s *session) ownBinds(binds []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := make([]string, len(binds))
	for i, b := range binds {
		name, rest, _ := strings.Cut(b, ":")
		name, temporary := ownVolume(s.instance, name)
		if temporary {
			s.volumes[name] = true
		}
		own[i] = name + ":" + rest
	}
	return own
}

func (s *session) get(id string) (*created, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.containers[id]
	if c == nil {
		return nil, fmt.Errorf("container %q is not of this build", id)
	}
	return c, nil
}

// CopyToContainer keeps small archives until the container starts, since each
// copy costs an engine about as much as the rest of the creation.
func (s *session) CopyToContainer(ctx context.Context, id string, o client.CopyToContainerOptions) (client.CopyToContainerResult, error) {
	c, err := s.get(id)
	if err != nil {
		return client.CopyToContainerResult{}, err
	}
	if c.started || o.DestinationPath != "/" {
		return s.Engine.CopyToContainer(ctx, id, o)
	}
	// Pack writes until its pipe is closed, even when nobody reads.
	defer release(o.Content)
	head, err := io.ReadAll(io.LimitReader(o.Content, pendingMost+1))
	if err != nil {
		return client.CopyToContainerResult{}, fmt.Errorf("read files for container: %w", err)
	}
	if len(head) <= pendingMost {
		c.pending = append(c.pending, head)
		return client.CopyToContainerResult{}, nil
	}
	return client.CopyToContainerResult{}, s.copyIn(ctx, c, io.MultiReader(bytes.NewReader(head), o.Content))
}

// release lets the writer of an archive end.
func release(r io.Reader) {
	if p, ok := r.(*io.PipeReader); ok {
		p.CloseWithError(errors.New("archive is not wanted any more"))
		return
	}
	_, _ = io.Copy(io.Discard, r)
}

// copyIn copies what is pending, and more if it is not nil.
func (s *session) copyIn(ctx context.Context, c *created, more io.Reader) error {
	var env map[string]string
	if runsBuildpacks(c.program) && !c.hasEnv {
		env, c.hasEnv = s.env, true
	}
	if len(c.pending) == 0 && len(env) == 0 && more == nil {
		return nil
	}
	pr, pw := io.Pipe()
	joined := make(chan error, 1)
	go func() {
		err := joinArchives(pw, c.pending, env, more)
		pw.CloseWithError(err)
		joined <- err
	}()
	_, err := s.Engine.CopyToContainer(ctx, c.id, client.CopyToContainerOptions{DestinationPath: "/", Content: pr})
	_ = pr.Close() // never fails; ends joinArchives if the engine stopped reading
	if joinErr := <-joined; joinErr != nil && !errors.Is(joinErr, io.ErrClosedPipe) {
		err = errors.Join(err, joinErr)
	}
	c.pending = nil
	if err != nil {
		return fmt.Errorf("copy files into container: %w", err)
	}
	return nil
}

// ContainerWait answers at once: what pack waits for is the stream of
// ContainerAttach, which ends when the container has.
func (s *session) ContainerWait(context.Context, string, client.ContainerWaitOptions) client.ContainerWaitResult {
	result := make(chan container.WaitResponse, 1)
	result <- container.WaitResponse{}
	return client.ContainerWaitResult{Result: result, Error: make(chan error)}
}

// ContainerAttach connects to the output. Failures appear in the stream.
func (s *session) ContainerAttach(ctx context.Context, id string, o client.ContainerAttachOptions) (client.ContainerAttachResult, error) {
	c, err := s.get(id)
	if err != nil {
		return client.ContainerAttachResult{}, err
	}
	waitCtx, cancel := context.WithCancel(ctx)
	c.run.cancel = cancel
	c.run.wait = s.Engine.ContainerWait(waitCtx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	c.run.attached, err = s.Engine.ContainerAttach(ctx, id, o)
	if err != nil {
		cancel()
		c.started = true
		c.run.end(fmt.Errorf("attach to %s: %w", c.program, err))
	}
	return c.run.attachResult(), nil
}

// ContainerStart starts the container and follows it in the background until
// it has ended. Failures appear in the stream.
func (s *session) ContainerStart(ctx context.Context, id string, o client.ContainerStartOptions) (client.ContainerStartResult, error) {
	c, err := s.get(id)
	if err != nil || c.started { // by a failed attach
		return client.ContainerStartResult{}, err
	}
	err = s.copyIn(ctx, c, nil)
	c.started = true
	if err == nil {
		if phase := programPhases[c.program]; phase != "" {
			s.t.enter(phase)
		}
		s.disk.begin()
		_, err = s.Engine.ContainerStart(ctx, id, o)
	}
	if err != nil {
		c.run.cancel()
		c.run.attached.Close()
		c.run.end(fmt.Errorf("start %s: %w", c.program, err))
		return client.ContainerStartResult{}, nil
	}
	go s.follow(ctx, c)
	return client.ContainerStartResult{}, nil
}

// follow ends when the container has; pack waits for it by reading c.run.
func (s *session) follow(ctx context.Context, c *created) {
	guarded, stop := s.disk.guard(ctx, c.id)
	code, err := c.run.follow(guarded, newLineWriter(s.t, 1), newLineWriter(s.t, 2))
	if tooMuch := stop(); tooMuch != nil {
		err = tooMuch // pack removes the container, which kills it
	} else if err == nil && code != 0 {
		err = &exitError{code: code, program: c.program, outOfMemory: s.outOfMemory(ctx, c.id)}
	}
	c.run.end(err)
}

func (s *session) outOfMemory(ctx context.Context, id string) bool {
	res, err := s.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	return err == nil && res.Container.State != nil && res.Container.State.OOMKilled
}

// ContainerRemove removes a container once, within cleanFor.
func (s *session) ContainerRemove(ctx context.Context, id string, o client.ContainerRemoveOptions) (client.ContainerRemoveResult, error) {
	s.mu.Lock()
	c, ok := s.containers[id]
	delete(s.containers, id)
	s.mu.Unlock()
	if !ok {
		return client.ContainerRemoveResult{}, nil // never created, or gone
	}
	ctx, cancel := context.WithTimeout(ctx, cleanFor)
	defer cancel()
	o.RemoveVolumes = true // the anonymous ones of the builder image
	res, err := s.Engine.ContainerRemove(ctx, id, o)
	if err != nil && !errdefs.IsNotFound(err) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.containers[id] = c // close tries again
	}
	return res, err
}

// VolumeRemove removes a volume by the name that pack knows.
func (s *session) VolumeRemove(ctx context.Context, id string, o client.VolumeRemoveOptions) (client.VolumeRemoveResult, error) {
	name, temporary := ownVolume(s.instance, id)
	if temporary {
		s.mu.Lock()
		known := s.volumes[name]
		delete(s.volumes, name)
		s.mu.Unlock()
		if !known {
			return client.VolumeRemoveResult{}, nil // no container ever had it
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cleanFor)
	defer cancel()
	res, err := s.Engine.VolumeRemove(ctx, name, o)
	if temporary && err != nil && !errdefs.IsNotFound(err) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.volumes[name] = true // close tries again
	}
	return res, err
}

// close removes what pack has not.
func (s *session) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanFor)
	defer cancel()
	s.mu.Lock()
	containers, volumes, images := s.containers, s.volumes, s.images
	s.containers, s.volumes, s.images = map[string]*created{}, map[string]bool{}, map[string]bool{}
	s.mu.Unlock()
	var errs []error
	for id := range containers {
		_, err := s.Engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove container %s: %w", id, err))
		}
	}
	for name := range volumes {
		errs = append(errs, removeVolume(ctx, s.Engine, name))
	}
	for ref := range images {
		errs = append(errs, removeImage(ctx, s.Engine, ref))
	}
	return errors.Join(errs...)
}
