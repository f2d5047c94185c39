package docker

import (
	"context"
	"time"

	"github.com/moby/moby/client"
	"go.uber.org/zap"
)

// measureEvery is how often what a container has written is measured.
const measureEvery = time.Second

// watchDisk kills a container that has written more than it may.
func (c *container) watchDisk(ctx context.Context) {
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-c.ended:
			return
		case <-ctx.Done():
			return
		}
		b := c.backend
		used, err := b.engine.DiskUsage(ctx, c.id)
		if err != nil {
			b.log.Debug("disk of dyno not measured", zap.String("dyno", c.name), zap.Error(err))
			continue
		}
		if used.Bytes <= b.cfg.Limits.Disk {
			continue
		}
		b.log.Warn("dyno killed, it wrote more than it may", zap.String("dyno", c.name), zap.Int64("bytes", used.Bytes), zap.Int64("limit", b.cfg.Limits.Disk))
		c.filled.Store(true)
		_, err = b.engine.ContainerKill(ctx, c.id, client.ContainerKillOptions{Signal: "SIGKILL"})
		if unlessGone("kill", err) != nil {
			b.log.Error("dyno not killed", zap.String("dyno", c.name), zap.Error(err))
		}
	}
}
