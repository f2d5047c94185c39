package gitserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

var errHungUp = errors.New("client hung up")

// uploadPack serves one fetch in protocol v0 or v1, after the advertisement.
func (s *Server) uploadPack(ctx context.Context, c *call, w *wire) error {
	r, err := repo.Open(c.dir, s.cfg.Repo)
	if err != nil {
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	}
	defer func() { c.warn("close repository", r.Close()) }()
	f := &fetch{s: s, c: c, w: w, in: pktline.NewReader(w.in), out: pktline.NewWriter(w.out), n: newNegotiation(r, s.cfg.HiddenRefs)}
	err = f.open(ctx)
	if errors.Is(err, errHungUp) {
		return nil
	}
	if err != nil {
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	}
	send, err := f.negotiate(ctx)
	if err != nil {
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	}
	if !send {
		return w.flush()
	}
	if err := w.finish(); err != nil {
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	}
	return s.sendPack(ctx, c, newReply(w, f.caps), f.n, f.caps)
}

// failFetch tells the client what is wrong, after it has sent what it sends.
func (s *Server) failFetch(ctx context.Context, c *call, out *reply, err error) error {
	text := s.words(ctx, c, err)
	out.w.drain(ctx)
	return errors.Join(err, out.fatal(text))
}

// A fetch is one conversation of protocol v0 or v1.
type fetch struct {
	s    *Server
	c    *call
	w    *wire
	in   *pktline.Reader
	out  *pktline.Writer
	n    *negotiation
	caps capabilities

	lines    int
	gotOther bool // in this round, the client has what we have not
	gotOurs  bool // in this round, the client has what we have
	ready    bool // the client was told that it need not ask on
}

// next reads a line and counts it against the limit.
func (f *fetch) next() (pktline.Kind, []byte, error) {
	kind, line, err := f.in.Next()
	if err != nil {
		return kind, nil, err
	}
	if f.lines++; f.lines > f.s.cfg.MaxWants {
		return kind, nil, refuse("more than %d lines in one fetch; fetch fewer refs at once", f.s.cfg.MaxWants)
	}
	return kind, pktline.TrimLF(line), nil
}

// open reads what the client asks for, and answers what can be answered before
// the negotiation.
func (f *fetch) open(ctx context.Context) error {
	if err := f.readWants(); err != nil {
		return err
	}
	if err := f.n.check(ctx); err != nil {
		return err
	}
	f.n.depth.to.Relative = f.caps.deepenRelative
	if err := f.n.deepen(ctx); err != nil {
		return err
	}
	if !f.n.depth.deepens {
		return nil
	}
	f.n.depth.send(f.out)
	_ = f.out.Flush() // Err returns the first error
	return errors.Join(f.out.Err(), f.w.flush())
}

// readWants reads what the client asks for, up to the first flush packet.
func (f *fetch) readWants() error {
	for first := true; ; first = false {
		kind, line, err := f.next()
		if err != nil {
			if first && isEOF(err) {
				return errHungUp
			}
			return fmt.Errorf("read wants: %w", noEOF(err))
		}
		if kind == pktline.Flush {
			if len(f.n.wants) == 0 {
				return errHungUp
			}
			return nil
		}
		if err := f.readWant(kind, line); err != nil {
			return err
		}
	}
}

func (f *fetch) readWant(kind pktline.Kind, line []byte) error {
	if kind != pktline.Data {
		return refuseFetchLine(kind, line)
	}
	if handled, err := f.n.depthLine(string(line)); handled || err != nil {
		return err
	}
	if spec, ok := bytes.CutPrefix(line, []byte("filter ")); ok {
		return f.n.filterBy(string(spec))
	}
	rest, ok := bytes.CutPrefix(line, []byte("want "))
	if !ok {
		return refuseFetchLine(kind, line)
	}
	id, list, _ := bytes.Cut(rest, []byte(" "))
	h, ok := parseHash(string(id))
	if !ok {
		return refuse("malformed want %q", clip(string(rest), 64))
	}
	if len(f.n.wants) == 0 {
		caps, err := parseCapabilities(string(list))
		if err != nil {
			return err
		}
		f.caps = caps
	}
	return f.n.want(h)
}

// filterBy takes the filter of a partial clone.
func (n *negotiation) filterBy(spec string) error {
	if n.filter != nil {
		return refuse("more than one filter in a fetch; combine them with combine:")
	}
	f, err := repo.ParseFilter(spec)
	n.filter = f
	return err
}

// refuseFetchLine explains what was not expected.
func refuseFetchLine(kind pktline.Kind, line []byte) error {
	if kind != pktline.Data {
		return refuse("unexpected packet %v in a fetch", kind)
	}
	return refuse("unexpected line in a fetch: %q", clip(string(line), 64))
}

// negotiate reads haves and answers them, until the pack can be sent. It
// returns false where the client will come back with another request.
func (f *fetch) negotiate(ctx context.Context) (send bool, err error) {
	for {
		kind, line, err := f.next()
		switch {
		case isEOF(err) && f.c.stateless:
			return false, nil
		case err != nil:
			return false, fmt.Errorf("read haves: %w", noEOF(err))
		case kind == pktline.Flush:
			send, err := f.endRound(ctx)
			if err != nil || send || f.c.stateless {
				return send, err
			}
		case kind != pktline.Data:
			return false, refuseFetchLine(kind, line)
		case string(line) == "done":
			return true, f.answerDone()
		default:
			if err := f.readHave(ctx, line); err != nil {
				return false, err
			}
		}
	}
}

func (f *fetch) readHave(ctx context.Context, line []byte) error {
	rest, ok := bytes.CutPrefix(line, []byte("have "))
	h, valid := parseHash(string(rest))
	if !ok || !valid {
		return refuseFetchLine(pktline.Data, line)
	}
	known, err := f.n.have(h)
	if err != nil {
		return err
	}
	if known {
		f.gotOurs = true
		return f.answerCommon(h)
	}
	f.gotOther = true
	if !f.caps.multiAck && !f.caps.multiAckDetailed {
		return nil
	}
	enough, err := f.n.enough(ctx)
	if err != nil || !enough {
		return err
	}
	if f.caps.multiAckDetailed {
		f.ready = true
		return f.out.Linef("ACK %s ready\n", h)
	}
	return f.out.Linef("ACK %s continue\n", h)
}

func (f *fetch) answerCommon(h plumbing.Hash) error {
	switch {
	case f.caps.multiAckDetailed:
		return f.out.Linef("ACK %s common\n", h)
	case f.caps.multiAck:
		return f.out.Linef("ACK %s continue\n", h)
	case len(f.n.haves) == 1:
		return f.out.Linef("ACK %s\n", h)
	}
	return nil
}

// endRound answers a flush packet, and reports whether the pack can be sent
// without more ado (no-done).
func (f *fetch) endRound(ctx context.Context) (send bool, err error) {
	if f.caps.multiAckDetailed && f.gotOurs && !f.gotOther {
		enough, err := f.n.enough(ctx)
		if err != nil {
			return false, err
		}
		if enough {
			f.ready = true
			_ = f.out.Linef("ACK %s ready\n", f.n.last) // Err returns the first error
		}
	}
	if len(f.n.haves) == 0 || f.caps.multiAck || f.caps.multiAckDetailed {
		_ = f.out.Line("NAK\n") // Err returns the first error
	}
	f.gotOurs, f.gotOther = false, false
	if f.ready && f.caps.noDone {
		return true, f.out.Linef("ACK %s\n", f.n.last)
	}
	return false, errors.Join(f.out.Err(), f.w.flush())
}

func (f *fetch) answerDone() error {
	if len(f.n.haves) == 0 {
		return f.out.Line("NAK\n")
	}
	if f.caps.multiAck || f.caps.multiAckDetailed {
		return f.out.Linef("ACK %s\n", f.n.last)
	}
	return nil
}

// sendPack sends what was asked for.
func (s *Server) sendPack(ctx context.Context, c *call, out *reply, n *negotiation, caps capabilities) error {
	start := time.Now()
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	stop := out.keepalive(ctx, s.cfg.Keepalive, pktline.BandData, gone)
	claim := s.cfg.Repo.Budget.Claim(func() { out.say("Waiting for memory, which pushes and other fetches hold...") })
	defer claim.Release()
	if err := claim.Hold(ctx, n.repo.SendClaim()); err != nil {
		stop()
		return s.failPack(ctx, c, out, err)
	}
	wants, haves, shallow := n.pack()
	o := repo.PackOptions{
		OfsDelta: caps.ofsDelta, Thin: caps.thinPack, IncludeTag: caps.includeTag, Filter: n.filter, Shallow: shallow,
		HiddenTag: func(name string) bool { return hidden(n.hidden, name) },
	}
	if !caps.noProgress {
		o.Progress = (&fetchProgress{out: out.progress()}).show
	}
	err := n.repo.WritePack(ctx, out.data(), wants, haves, o)
	stop()
	if err != nil {
		return s.failPack(ctx, c, out, err)
	}
	if err := out.close(); err != nil {
		return fmt.Errorf("send pack: %w", err)
	}
	c.log.Info("fetch served", zap.Int("wants", len(n.wants)), zap.Int("haves", len(n.haves)),
		zap.Bool("filtered", n.filter != nil), zap.Bool("shallow", len(shallow) > 0), zap.Duration("took", time.Since(start)))
	return nil
}

// failPack tells the client what is wrong, in the place of the pack or behind a
// part of it.
func (s *Server) failPack(ctx context.Context, c *call, out *reply, err error) error {
	if out.mux == nil {
		return fmt.Errorf("send pack: %w", err) // words would be taken for the pack
	}
	return errors.Join(err, out.fatal(s.words(ctx, c, err)))
}
