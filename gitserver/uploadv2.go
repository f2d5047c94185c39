package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

const (
	maxV2Capabilities = 64
	maxRefPrefixes    = 1000 // more prefixes than this mean all refs
)

// A v2Request is one command of protocol v2.
type v2Request struct {
	command string
	args    []string
}

// uploadPackV2 serves commands until the client hangs up; over HTTP, one.
func (s *Server) uploadPackV2(ctx context.Context, c *call, w *wire) error {
	r, err := repo.Open(c.dir, s.cfg.Repo)
	if err != nil {
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	}
	defer func() { c.warn("close repository", r.Close()) }()
	in := pktline.NewReader(w.in)
	for {
		req, err := s.readV2(in)
		if errors.Is(err, errHungUp) {
			return nil
		}
		if err == nil && c.stateless {
			err = w.finish()
		}
		if err != nil {
			return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
		}
		if err := s.runV2(ctx, c, w, r, req); err != nil {
			return err
		}
		if c.stateless {
			return nil
		}
	}
}

func (s *Server) runV2(ctx context.Context, c *call, w *wire, r *repo.Repo, req *v2Request) error {
	switch req.command {
	case "ls-refs":
		if err := s.lsRefs(ctx, w, r, req.args); err != nil {
			return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
		}
		return nil
	case "fetch":
		return s.fetchV2(ctx, c, w, r, req.args)
	}
	return s.failFetch(ctx, c, newReply(w, capabilities{}), refuse("unknown command %q", clip(req.command, 32)))
}

// readV2 reads one request: command and capabilities, a delimiter, arguments.
func (s *Server) readV2(in *pktline.Reader) (*v2Request, error) {
	req := &v2Request{}
	for lines := 0; ; lines++ {
		kind, line, err := in.Next()
		switch {
		case isEOF(err) && lines == 0:
			return nil, errHungUp
		case err != nil:
			return nil, fmt.Errorf("read command: %w", noEOF(err))
		case kind == pktline.Flush && lines == 0:
			return nil, errHungUp
		case kind == pktline.Flush:
			return req, req.check()
		case kind == pktline.Delim:
			if err := s.readV2Args(in, req); err != nil {
				return nil, err
			}
			return req, req.check()
		case kind != pktline.Data || lines >= maxV2Capabilities:
			return nil, refuse("malformed request of protocol v2")
		}
		if err := req.capability(string(pktline.TrimLF(line))); err != nil {
			return nil, err
		}
	}
}

func (s *Server) readV2Args(in *pktline.Reader, req *v2Request) error {
	size := 0
	for {
		kind, line, err := in.Next()
		if err != nil {
			return fmt.Errorf("read arguments: %w", noEOF(err))
		}
		if kind == pktline.Flush {
			return nil
		}
		if kind != pktline.Data {
			return refuse("unexpected packet %v among the arguments", kind)
		}
		arg := string(pktline.TrimLF(line))
		size += len(arg)
		if len(req.args) >= s.cfg.MaxWants || size > s.cfg.MaxWants*2*hashLen {
			return refuse("more than %d arguments in one request; fetch fewer refs at once", s.cfg.MaxWants)
		}
		req.args = append(req.args, arg)
	}
}

func (r *v2Request) capability(line string) error {
	key, value, _ := strings.Cut(line, "=")
	switch key {
	case "command":
		if r.command != "" {
			return refuse("more than one command in a request")
		}
		r.command = value
	case "object-format":
		_, err := parseCapabilities(line)
		return err
	}
	return nil
}

func (r *v2Request) check() error {
	if r.command == "" {
		return refuse("a request without a command")
	}
	return nil
}

// lsRefs lists references.
func (s *Server) lsRefs(ctx context.Context, w *wire, r *repo.Repo, args []string) error {
	o, err := parseLsRefs(args)
	if err != nil {
		return err
	}
	all, err := readRefs(ctx, r)
	if err != nil {
		return err
	}
	pkt := pktline.NewWriter(w.out)
	if o.matches("HEAD") {
		switch {
		case !all.head.IsZero():
			head := all.head.String() + " HEAD"
			if o.symrefs && all.target != "" {
				head += " symref-target:" + all.target
			}
			_ = pkt.Line(head + "\n") // Err returns the first error
		case o.unborn && o.symrefs && all.target != "":
			_ = pkt.Line("unborn HEAD symref-target:" + all.target + "\n") // Err returns the first error
		}
	}
	for _, ref := range all.list {
		if o.matches(ref.Name) {
			_ = pkt.Line(o.format(ref)) // Err returns the first error
		}
	}
	_ = pkt.Flush() // Err returns the first error
	return errors.Join(pkt.Err(), w.flush())
}

type lsRefsOptions struct {
	peel, symrefs, unborn bool
	prefixes              []string
}

func parseLsRefs(args []string) (*lsRefsOptions, error) {
	o := &lsRefsOptions{}
	for _, arg := range args {
		prefix, isPrefix := strings.CutPrefix(arg, "ref-prefix ")
		switch {
		case isPrefix:
			o.prefixes = append(o.prefixes, prefix)
		case arg == "peel":
			o.peel = true
		case arg == "symrefs":
			o.symrefs = true
		case arg == "unborn":
			o.unborn = true
		default:
			return nil, refuse("unknown argument of ls-refs: %q", clip(arg, 64))
		}
	}
	if len(o.prefixes) > maxRefPrefixes {
		o.prefixes = nil // prefixes are a hint; all refs are a valid answer
	}
	return o, nil
}

func (o *lsRefsOptions) matches(name string) bool {
	if len(o.prefixes) == 0 {
		return true
	}
	for _, p := range o.prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func (o *lsRefsOptions) format(ref repo.Ref) string {
	line := ref.Hash.String() + " " + ref.Name
	if o.symrefs && ref.Target != "" {
		line += " symref-target:" + ref.Target
	}
	if o.peel && !ref.Peeled.IsZero() {
		line += " peeled:" + ref.Peeled.String()
	}
	return line + "\n"
}

// fetchV2 serves the command fetch.
func (s *Server) fetchV2(ctx context.Context, c *call, w *wire, r *repo.Repo, args []string) error {
	n := newNegotiation(r)
	o, err := parseFetch(n, args)
	if err != nil {
		return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
	}
	if len(n.wants) == 0 {
		return w.flush()
	}
	pkt := pktline.NewWriter(w.out)
	if o.asked > 0 && !o.done {
		more, err := acknowledge(ctx, pkt, n)
		if err != nil {
			return s.failFetch(ctx, c, newReply(w, capabilities{}), err)
		}
		if more {
			return errors.Join(pkt.Flush(), w.flush())
		}
		_ = pkt.Special(pktline.Delim) // Line returns the first error
	}
	if err := pkt.Line("packfile\n"); err != nil {
		return fmt.Errorf("send pack: %w", err)
	}
	return s.sendPack(ctx, c, newReply(w, o.caps), n, o.caps)
}

type fetchOptions struct {
	caps  capabilities
	asked int // haves, known here or not
	done  bool
}

func parseFetch(n *negotiation, args []string) (*fetchOptions, error) {
	o := &fetchOptions{caps: capabilities{sideband: pktline.LargeBand}}
	for _, arg := range args {
		key, value, hasValue := strings.Cut(arg, " ")
		var err error
		switch {
		case hasValue:
			err = o.object(n, key, value)
		case key == "done":
			o.done = true
		case key == "thin-pack" || key == "no-progress" || key == "include-tag" || key == "ofs-delta":
			o.caps.setFetch(key)
		default:
			err = refuseFetchLine(pktline.Data, []byte(arg))
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *fetchOptions) object(n *negotiation, key, value string) error {
	h, ok := parseHash(value)
	if !ok || key != "want" && key != "have" {
		return refuseFetchLine(pktline.Data, []byte(key+" "+value))
	}
	if key == "want" {
		return n.want(h)
	}
	o.asked++
	_, err := n.have(h)
	return err
}

// acknowledge answers the haves, and reports whether more of them would help.
func acknowledge(ctx context.Context, pkt *pktline.Writer, n *negotiation) (more bool, err error) {
	_ = pkt.Line("acknowledgments\n") // Err returns the first error
	if len(n.haves) == 0 {
		_ = pkt.Line("NAK\n") // Err returns the first error
	}
	for _, h := range n.haves {
		_ = pkt.Linef("ACK %s\n", h) // Err returns the first error
	}
	enough, err := n.enough(ctx)
	if err != nil {
		return false, err
	}
	if enough {
		_ = pkt.Line("ready\n") // Err returns the first error
	}
	return !enough, pkt.Err()
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
