package logs

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
)

// A syslogSender writes to one connection, which it makes when it needs it.
type syslogSender struct {
	cfg    DrainsConfig
	target target
	token  string

	conn net.Conn
	over chan struct{} // closed when the receiver is gone
	buf  []byte
}

// structured data and message ID, neither of which there is.
const syslogData = " - - "

func (s *syslogSender) send(ctx context.Context, b batch) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	s.buf = s.buf[:0]
	for _, l := range b.lines {
		s.buf = appendFrame(s.buf, l, s.token, syslogData)
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		s.close()
		if ctx.Err() != nil {
			return fmt.Errorf("send: %w", context.Cause(ctx))
		}
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func (s *syslogSender) connect(ctx context.Context) error {
	if s.conn != nil {
		select {
		case <-s.over:
			s.close()
		default:
			return nil
		}
	}
	conn, err := s.cfg.Dial(ctx, "tcp", s.target.addr)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if s.target.scheme == "syslog+tls" {
		t := tls.Client(conn, tlsConfig(s.cfg, s.target.host))
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return fmt.Errorf("connect: %w", err)
		}
		conn = t
	}
	s.conn, s.over = conn, make(chan struct{})
	go func(over chan struct{}) {
		// A receiver has nothing to say: this ends when it goes away.
		defer close(over)
		_, _ = io.Copy(io.Discard, conn)
	}(s.over)
	return nil
}

func (s *syslogSender) close() {
	if s.conn == nil {
		return
	}
	_ = s.conn.Close()
	<-s.over
	s.conn = nil
}
