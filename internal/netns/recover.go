package netns

import (
	"context"
	"fmt"
	"strings"

	"github.com/vishvananda/netlink"
	"go.uber.org/zap"
)

// Recover removes what a killed server of the same instance left: devices that
// carry cfg.Instance, and its firewall. Namespaces went with their processes.
func Recover(ctx context.Context, cfg Config) error {
	cfg, err := cfg.check()
	if err != nil {
		return err
	}
	links, err := list(netlink.LinkList)
	if err != nil {
		return fmt.Errorf("list devices: %w", err)
	}
	for _, l := range links {
		name := l.Attrs().Name
		if !strings.HasPrefix(name, devicePrefix(cfg.Instance)+"-") || l.Type() != "veth" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		cfg.Log.Warn("left network found", zap.String("device", name))
		if err := removeDevice(name); err != nil {
			return fmt.Errorf("remove device %s: %w", name, err)
		}
	}
	return (&firewall{instance: cfg.Instance}).remove()
}
