package embedded

import (
	"context"
	"errors"
	"net/netip"

	"go.uber.org/zap"

	"slipway/internal/buildnet"
)

// Config configures an [Engine].
type Config struct {
	// Dir holds images, volumes and running containers; required. One
	// engine at a time may use it.
	Dir string
	// Runc is the OCI runtime's name or path; "runc" if empty.
	Runc string
	// Snapshotter is "overlayfs" or "native"; if empty, overlayfs where the
	// file system of Dir allows it, else native.
	Snapshotter string
	// Resolvers answer the DNS queries of builds; the host's if nil.
	Resolvers []netip.AddrPort
	// Log gets what happens; nothing if nil.
	Log *zap.Logger
}

// An Engine implements pack's DockerClient.
type Engine struct{}

// Open starts an engine on cfg.Dir, and first removes the containers, mounts,
// networks and build volumes that a killed predecessor left.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	return nil, errors.ErrUnsupported
}

// Close kills every container and releases the engine's directory.
func (e *Engine) Close() error { return nil }

// Name is "embedded".
func (e *Engine) Name() string { return "embedded" }

// A Network is the network of one build.
type Network struct{ ns *buildnet.Namespace }

// Mode goes into HostConfig.NetworkMode of the build's containers.
func (n *Network) Mode() string { return "" }

// Close removes the network.
func (n *Network) Close() error { return nil }

// OpenNetwork makes the network of one build, in which ports are opened.
func (e *Engine) OpenNetwork(ctx context.Context, ports []buildnet.Port) (*Network, error) {
	return nil, errors.ErrUnsupported
}
