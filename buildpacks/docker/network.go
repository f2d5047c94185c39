package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/internal/netns"
)

// removeIn bounds the removal of a holder.
const removeIn = 20 * time.Second

// awakeIn bounds the wait for a holder's program.
const awakeIn = 2 * time.Second

// idleHolders is how many holders are kept between builds.
const idleHolders = 2

// A Network is the network of one build: the namespace of its holder.
type Network struct {
	h  *holder
	ns *netns.Namespace
}

var _ build.Network = (*Network)(nil)

// Mode joins a container to the holder.
func (n *Network) Mode() string { return "container:" + n.h.id }

// Dial connects to a TCP port of what runs in the network.
func (n *Network) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	return n.ns.Dial(ctx, port)
}

// Close takes down the relays and gives up the holder.
func (n *Network) Close() error {
	if err := n.ns.Close(); err != nil {
		return errors.Join(err, n.h.remove(n.h.e.kept()))
	}
	return n.h.e.giveBack(n.h)
}

// OpenNetwork takes a holder and opens ports in its network.
func (e *Engine) OpenNetwork(ctx context.Context, ports []netns.Port) (build.Network, error) {
	h, err := e.takeHolder(ctx)
	if err != nil {
		return nil, err
	}
	ns, err := netns.Attach(ctx, fmt.Sprintf("/proc/%d/ns/net", h.pid), netns.Config{
		Instance: e.instance[:6], Ports: ports, Resolvers: e.cfg.Resolvers, Log: e.log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("attach to holder: %w", err), h.remove(ctx))
	}
	// The containers that join the holder share its resolv.conf.
	if err := os.WriteFile(h.resolvConf, []byte(ns.ResolvConf()), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("write resolv.conf of holder: %w", err), ns.Close(), h.remove(ctx))
	}
	return &Network{h: h, ns: ns}, nil
}

// A holder is a container that owns a network namespace and does nothing.
type holder struct {
	e          *Engine
	id         string
	pid        int
	resolvConf string // on this machine
}

// takeHolder takes an idle holder that still runs, else starts one.
func (e *Engine) takeHolder(ctx context.Context) (*holder, error) {
	for {
		e.mu.Lock()
		var h *holder
		if n := len(e.idle); n > 0 {
			h, e.idle = e.idle[n-1], e.idle[:n-1]
		}
		e.mu.Unlock()
		switch {
		case h == nil:
			h, err := e.startHolder(ctx)
			if err == nil || ctx.Err() != nil || errors.Is(err, ErrRemote) {
				return h, err
			}
			// A daemon that starts ten at once says now and then that one
			// "is already running".
			e.log.Info("holder is started again", zap.Error(err))
			return e.startHolder(ctx)
		case h.alive():
			return h, nil
		}
		if err := h.remove(ctx); err != nil { // it stopped without us
			e.log.Warn("idle holder is not removed", zap.Error(err))
		}
	}
}

// giveBack keeps a holder for the next build: to start and to remove one costs
// the daemon half a second. Nothing of a build outlives it in the namespace
// but the walls: its processes have ended, and none of them could change the
// namespace itself. Where one still runs, since its container could not be
// removed, the next build gets another holder.
func (e *Engine) giveBack(h *holder) error {
	shared, err := h.shared()
	if err != nil {
		return errors.Join(err, h.remove(e.kept()))
	}
	e.mu.Lock()
	keep := !e.closed && len(e.idle) < idleHolders && !shared
	if keep {
		e.idle = append(e.idle, h)
	}
	e.mu.Unlock()
	if keep {
		return nil
	}
	return h.remove(e.kept())
}

func (e *Engine) startHolder(ctx context.Context) (_ *holder, err error) {
	if err := e.ensureHolderImage(ctx); err != nil {
		return nil, err
	}
	one := int64(1)
	res, err := e.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image:    holderRef,
			Hostname: e.cfg.Hostname, // and so that of the containers that join it
			Labels:   map[string]string{build.LabelInstance: e.instance},
		},
		HostConfig: &container.HostConfig{
			CapDrop:        []string{"ALL"},
			ReadonlyRootfs: true,
			SecurityOpt:    []string{"no-new-privileges=true"},
			LogConfig:      container.LogConfig{Type: "none"},
			Resources:      container.Resources{PidsLimit: &one},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("create holder: %w", err)
	}
	h := &holder{e: e, id: res.ID}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.remove(ctx))
		}
	}()
	if _, err := e.ContainerStart(ctx, h.id, client.ContainerStartOptions{}); err != nil {
		return nil, fmt.Errorf("start holder: %w", err)
	}
	info, err := e.ContainerInspect(ctx, h.id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fmt.Errorf("inspect holder: %w", err)
	}
	if info.Container.State == nil || info.Container.State.Pid == 0 {
		return nil, errors.New("holder does not run")
	}
	h.pid, h.resolvConf = info.Container.State.Pid, info.Container.ResolvConfPath
	if !h.awake(ctx) {
		return nil, fmt.Errorf("%w: use the embedded engine, or run the server where the daemon runs", ErrRemote)
	}
	return h, nil
}

// alive tells whether the process with the holder's number is the holder, on
// this machine.
func (h *holder) alive() bool {
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", h.pid))
	if err != nil || !bytes.Equal(cmdline, []byte("/pause\x00")) {
		return false
	}
	_, err = os.Stat(h.resolvConf)
	return err == nil
}

// awake waits until a holder that was just started is alive: the daemon answers
// when runc lets it go, a moment before it runs its program.
func (h *holder) awake(ctx context.Context) bool {
	late := time.NewTimer(awakeIn)
	defer late.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !h.alive() {
		select {
		case <-again.C:
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// shared tells whether other processes are in the holder's network namespace.
func (h *holder) shared() (bool, error) {
	self := fmt.Sprintf("/proc/%d/ns/net", h.pid)
	own, err := os.Readlink(self)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it has ended: takeHolder will see
	}
	if err != nil {
		return false, fmt.Errorf("look at holder's network: %w", err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		return false, fmt.Errorf("list processes: %w", err)
	}
	for _, link := range links {
		if link == self {
			continue
		}
		if target, err := os.Readlink(link); err == nil && target == own { // else it has ended
			return true, nil
		}
	}
	return false, nil
}

// remove runs on after its caller's end, for as long as removeIn.
func (h *holder) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeIn)
	defer cancel()
	_, err := h.e.ContainerRemove(ctx, h.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove holder: %w", err)
	}
	return nil
}
