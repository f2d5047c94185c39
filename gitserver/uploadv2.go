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

const maxV2Capabilities = 64

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
	case "object-info":
		if err := objectInfo(ctx, w, r, req.args); err != nil {
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

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
