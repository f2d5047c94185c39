package buildnet

import (
	"context"
	"errors"
)

// A Namespace is the network namespace of one build.
type Namespace struct{}

// New makes a namespace. The caller closes it.
func New(ctx context.Context, cfg Config) (*Namespace, error) {
	return nil, errors.ErrUnsupported
}

// Attach opens cfg.Ports, relays DNS and closes private addresses inside the
// existing namespace at nsPath (/proc/PID/ns/net). The namespace keeps its own
// way out. Close ends the relays and leaves the namespace to its owner.
func Attach(ctx context.Context, nsPath string, cfg Config) (*Namespace, error) {
	return nil, errors.ErrUnsupported
}

// Recover removes what a killed server left: namespaces in cfg.Dir, and
// devices that carry cfg.Instance.
func Recover(ctx context.Context, cfg Config) error { return errors.ErrUnsupported }

// Path names the namespace for others to join.
func (n *Namespace) Path() string { return "" }

// ResolvConf is the text of /etc/resolv.conf for what runs inside.
func (n *Namespace) ResolvConf() string { return "" }

// Close ends the relays and removes the namespace.
func (n *Namespace) Close() error { return nil }
