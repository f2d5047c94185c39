package embedded

import (
	"context"
	"errors"
	"sync"

	"github.com/moby/moby/client"

	"slipway/internal/netns"
)

// modePrefix begins the mode of a network that OpenNetwork made.
const modePrefix = "slipway-net-"

// A networkStore keeps the networks of running builds.
type networkStore struct {
	pool *netns.Pool

	mu     sync.Mutex
	byName map[string]*network
}

// A network is one namespace that containers can join by name.
type network struct {
	store *networkStore
	name  string
	ns    *netns.Namespace
}

func openNetworks(ctx context.Context, cfg netns.Config) (*networkStore, error) {
	pool, err := netns.OpenPool(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &networkStore{pool: pool, byName: make(map[string]*network)}, nil
}

func (s *networkStore) close() error {
	s.mu.Lock()
	left := make([]*network, 0, len(s.byName))
	for _, n := range s.byName {
		left = append(left, n)
	}
	s.mu.Unlock()
	var errs []error
	for _, n := range left {
		errs = append(errs, n.Close())
	}
	return errors.Join(append(errs, s.pool.Close())...)
}

func (s *networkStore) open(ctx context.Context, name string, ports []netns.Port) (*network, error) {
	ns, err := s.pool.Get(ctx, ports)
	if err != nil {
		return nil, err
	}
	n := &network{store: s, name: name, ns: ns}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byName[name]; ok {
		return nil, errors.Join(conflict("network %s exists", name), ns.Close())
	}
	s.byName[name] = n
	return n, nil
}

// Mode goes into HostConfig.NetworkMode of the build's containers.
func (n *network) Mode() string { return n.name }

// Close removes the network.
func (n *network) Close() error {
	n.store.mu.Lock()
	if n.store.byName[n.name] == n {
		delete(n.store.byName, n.name)
	}
	n.store.mu.Unlock()
	return n.ns.Close()
}

// OpenNetwork makes the network of one build, in which ports are opened. Its
// mode goes into HostConfig.NetworkMode.
func (e *Engine) OpenNetwork(ctx context.Context, ports []netns.Port) (interface {
	Mode() string
	Close() error
}, error,
) {
	n, err := e.nets.open(ctx, modePrefix+newID()[:12], ports)
	if err != nil {
		return nil, err // not n: a nil *network in an interface is not nil
	}
	return n, nil
}

// NetworkCreate implements DockerClient, for pack's own network of a build.
func (e *Engine) NetworkCreate(ctx context.Context, name string, _ client.NetworkCreateOptions) (client.NetworkCreateResult, error) {
	n, err := e.nets.open(ctx, name, nil)
	if err != nil {
		return client.NetworkCreateResult{}, err
	}
	return client.NetworkCreateResult{ID: n.name}, nil
}

// NetworkRemove implements DockerClient.
func (e *Engine) NetworkRemove(ctx context.Context, name string, _ client.NetworkRemoveOptions) (client.NetworkRemoveResult, error) {
	e.nets.mu.Lock()
	n, ok := e.nets.byName[name]
	e.nets.mu.Unlock()
	if !ok {
		return client.NetworkRemoveResult{}, notFound("network", name)
	}
	return client.NetworkRemoveResult{}, errors.Join(n.Close(), ctx.Err())
}

// joined is a container's place in a network.
type joined struct {
	path   string // of the namespace; "" for one with nothing but loopback
	resolv string
	leave  func() error
}

// join finds the network of a mode. Without one, a container gets a network
// of its own. The host's is never given to a container.
func (s *networkStore) join(ctx context.Context, mode string) (*joined, error) {
	nothing := func() error { return nil }
	switch mode {
	case "none":
		return &joined{leave: nothing}, nil
	case "host":
		return nil, invalid("builds may not use the host's network")
	case "", "default", "bridge":
		ns, err := s.pool.Get(ctx, nil)
		if err != nil {
			return nil, err
		}
		return &joined{path: ns.Path(), resolv: ns.ResolvConf(), leave: ns.Close}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.byName[mode]
	if !ok {
		return nil, notFound("network", mode)
	}
	return &joined{path: n.ns.Path(), resolv: n.ns.ResolvConf(), leave: nothing}, nil
}
