package netns

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// relayParallel bounds the connections of one port.
	relayParallel = 512
	// acceptPause follows an error that is not the listener's end.
	acceptPause = 10 * time.Millisecond
)

// A group is goroutines that end with their namespace.
type group struct{ sync.WaitGroup }

func (g *group) run(fn func()) { g.Go(fn) }

// relay carries each connection to l to the other end that dial makes, until l
// is closed.
func relay(ctx context.Context, l net.Listener, dial func(context.Context) (net.Conn, error), work *group, log *zap.Logger) {
	slots := make(chan struct{}, relayParallel)
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			log.Warn("accept failed", zap.Error(err))
			select {
			case <-time.After(acceptPause):
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			_ = conn.Close()
			return
		}
		work.run(func() {
			defer func() { <-slots }()
			carry(ctx, conn, dial, log)
		})
	}
}

// carry copies in both directions until both have ended, or ctx has.
func carry(ctx context.Context, near net.Conn, dial func(context.Context) (net.Conn, error), log *zap.Logger) {
	defer func() { _ = near.Close() }()
	far, err := dial(ctx)
	if err != nil {
		log.Debug("port not reached", zap.Stringer("port", near.LocalAddr()), zap.Error(err))
		return
	}
	defer func() { _ = far.Close() }()
	stop := context.AfterFunc(ctx, func() {
		_ = near.Close()
		_ = far.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { pipe(far, near) })
	both.Go(func() { pipe(near, far) })
	both.Wait()
}

// pipe copies one direction and passes its end on. Where an end cannot be
// halved, it ends both directions.
func pipe(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		_ = to.Close()
	}
}
