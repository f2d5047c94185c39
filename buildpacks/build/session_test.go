package build

import (
	"context"
	"errors"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// A busyEngine refuses the first removal of everything.
type busyEngine struct {
	Engine
	asked   map[string]int
	created client.ContainerCreateOptions
}

func (e *busyEngine) remove(what string) error {
	if e.asked[what]++; e.asked[what] == 1 {
		return errors.New("busy")
	}
	return nil
}

func (e *busyEngine) ContainerCreate(_ context.Context, o client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	e.created = o
	return client.ContainerCreateResult{ID: "c1"}, nil
}

func (e *busyEngine) ContainerRemove(_ context.Context, id string, _ client.ContainerRemoveOptions) (client.ContainerRemoveResult, error) {
	return client.ContainerRemoveResult{}, e.remove(id)
}

func (e *busyEngine) VolumeRemove(_ context.Context, name string, _ client.VolumeRemoveOptions) (client.VolumeRemoveResult, error) {
	return client.VolumeRemoveResult{}, e.remove(name)
}

func TestWhatCouldNotBeRemovedIsTriedAgain(t *testing.T) {
	e := &busyEngine{asked: make(map[string]int)}
	j := &job{
		b: &Builder{cfg: Config{Engine: e, Memory: 1 << 30, Pids: 7, CPUs: 1.5}, instance: "i"},
		r: Request{ID: "b1", App: "a"}, env: map[string]string{"SECRET": "value"},
	}
	s := j.session()
	_, err := s.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config:     &container.Config{Cmd: []string{"/cnb/lifecycle/creator"}},
		HostConfig: &container.HostConfig{Binds: []string{"pack-layers-x:/layers", "slipway-i-a.cache:/cache"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	host := e.created.HostConfig
	if host.Memory != 1<<30 || host.MemorySwap != 1<<30 || *host.PidsLimit != 7 || host.NanoCPUs != 15e8 {
		t.Errorf("limits of the container are %+v", host.Resources)
	}
	for _, v := range e.created.Config.Env {
		if v != "CNB_NO_COLOR=true" {
			t.Errorf("the container's configuration has %q", v)
		}
	}
	if _, err := s.ContainerRemove(t.Context(), "c1", client.ContainerRemoveOptions{}); err == nil {
		t.Error("ContainerRemove() = nil, want the engine's error")
	}
	if _, err := s.VolumeRemove(t.Context(), "pack-layers-x", client.VolumeRemoveOptions{}); err == nil {
		t.Error("VolumeRemove() = nil, want the engine's error")
	}
	if err := s.close(t.Context()); err != nil {
		t.Errorf("close() = %v", err)
	}
	for _, what := range []string{"c1", "pack-slipway-i-layers-x"} {
		if e.asked[what] != 2 {
			t.Errorf("%s was removed %d times, want 2", what, e.asked[what])
		}
	}
	if len(e.asked) != 2 {
		t.Errorf("removed %v, want nothing else", e.asked)
	}
}
