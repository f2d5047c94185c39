package build

import (
	"context"

	"github.com/buildpacks/pack/pkg/client"

	"slipway/internal/netns"
)

// An Engine runs containers for pack.
type Engine interface {
	client.DockerClient
	// Name is "embedded" or "docker".
	Name() string
	// OpenNetwork makes the network of one build, in which ports are open.
	// The caller closes it.
	OpenNetwork(ctx context.Context, ports []netns.Port) (Network, error)
}

// A Network is where the containers of one build are joined.
//
// It is an alias of the bare interface, so that an engine need not import
// this package to implement [Engine].
type Network = interface {
	// Mode goes into HostConfig.NetworkMode.
	Mode() string
	// Close removes the network.
	Close() error
}
