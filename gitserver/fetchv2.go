package gitserver

import (
	"context"
	"fmt"
	"strings"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

// fetchV2 serves the command fetch.
func (s *Server) fetchV2(ctx context.Context, c *call, w *wire, r *repo.Repo, args []string) error {
	n := newNegotiation(r, s.cfg.HiddenRefs)
	o, err := parseFetch(n, args)
	if err == nil {
		err = n.check(ctx)
	}
	pkt := pktline.NewWriter(w.out)
	send := false
	if err == nil {
		send, err = answerFetch(ctx, pkt, n, o)
	}
	switch {
	case err != nil:
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	case pkt.Err() != nil:
		return fmt.Errorf("answer fetch: %w", pkt.Err())
	case !send:
		return w.flush()
	}
	return s.sendPack(ctx, c, newReply(w, o.caps), n, o.caps)
}

// answerFetch writes the sections before the pack (gitprotocol-v2, "fetch"),
// in the order in which git's own client reads them, and reports whether the
// pack follows.
func answerFetch(ctx context.Context, pkt *pktline.Writer, n *negotiation, o *fetchOptions) (bool, error) {
	if len(n.wants) == 0 && !o.waitForDone {
		return false, nil
	}
	if o.asked > 0 && !o.done {
		ready, err := acknowledge(ctx, pkt, n, o)
		if err != nil {
			return false, err
		}
		if !ready {
			return false, pkt.Flush()
		}
		_ = pkt.Special(pktline.Delim) // the caller looks at Err
	}
	if err := n.deepen(ctx); err != nil {
		return false, err
	}
	if n.depth.deepens || len(n.depth.shallow) > 0 {
		_ = pkt.Line("shallow-info\n") // the caller looks at Err
		n.depth.send(pkt)
		_ = pkt.Special(pktline.Delim) // the caller looks at Err
	}
	if len(n.refs) > 0 {
		_ = pkt.Line("wanted-refs\n") // the caller looks at Err
		for _, ref := range n.refs {
			_ = pkt.Linef("%s %s\n", ref.Hash, ref.Name) // the caller looks at Err
		}
		_ = pkt.Special(pktline.Delim) // the caller looks at Err
	}
	return true, pkt.Line("packfile\n")
}

type fetchOptions struct {
	caps        capabilities
	asked       int // haves, known here or not
	done        bool
	waitForDone bool
}

func parseFetch(n *negotiation, args []string) (*fetchOptions, error) {
	o := &fetchOptions{caps: capabilities{sideband: pktline.LargeBand}}
	for _, arg := range args {
		if err := o.parse(n, arg); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *fetchOptions) parse(n *negotiation, arg string) error {
	switch arg {
	case "done":
		o.done = true
		return nil
	case "wait-for-done":
		o.waitForDone = true
		return nil
	case "deepen-relative":
		n.depth.to.Relative = true
		return nil
	case "thin-pack", "no-progress", "include-tag", "ofs-delta":
		o.caps.setFetch(arg)
		return nil
	}
	if handled, err := n.depthLine(arg); handled || err != nil {
		return err
	}
	key, value, _ := strings.Cut(arg, " ")
	switch key {
	case "filter":
		return n.filterBy(value)
	case "want-ref":
		return n.wantRef(value)
	}
	h, ok := parseHash(value)
	if !ok || key != "want" && key != "have" {
		return refuseFetchLine(pktline.Data, []byte(arg))
	}
	if key == "want" {
		return n.want(h)
	}
	o.asked++
	_, err := n.have(h)
	return err
}

// acknowledge answers the haves, and reports whether the pack can be sent, as
// more of them would not make it smaller.
func acknowledge(ctx context.Context, pkt *pktline.Writer, n *negotiation, o *fetchOptions) (ready bool, err error) {
	_ = pkt.Line("acknowledgments\n") // the caller looks at Err
	if len(n.haves) == 0 {
		_ = pkt.Line("NAK\n") // the caller looks at Err
	}
	for _, h := range n.haves {
		_ = pkt.Linef("ACK %s\n", h) // the caller looks at Err
	}
	if o.waitForDone {
		return false, nil
	}
	if ready, err = n.enough(ctx); ready {
		_ = pkt.Line("ready\n") // the caller looks at Err
	}
	return ready, err
}
