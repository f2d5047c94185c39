package gitserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/pktline"
)

const (
	hashLen      = 40
	maxRefName   = 1024
	maxOptionLen = 1024
)

// A pushRequest is what a client sends before the pack.
type pushRequest struct {
	caps     capabilities
	commands []Command
	options  []string
	shallow  []plumbing.Hash
}

// needsPack reports whether a pack follows: git sends none with deletions only.
func (r *pushRequest) needsPack() bool {
	for _, c := range r.commands {
		if !c.IsDelete() {
			return true
		}
	}
	return false
}

// readPush reads the commands of a push and its options. The request is
// returned with an error too: its capabilities say how the client wants to be
// told. Without any command, the client has nothing to push.
func (s *Server) readPush(in io.Reader) (*pushRequest, error) {
	req := &pushRequest{}
	r := pktline.NewReader(in)
	for {
		kind, line, err := r.Next()
		if errors.Is(err, io.EOF) && len(req.commands) == 0 && len(req.shallow) == 0 {
			return req, errHungUp // after the advertisement
		}
		if err != nil {
			return req, fmt.Errorf("read commands: %w", noEOF(err))
		}
		if kind == pktline.Flush {
			break
		}
		if kind != pktline.Data {
			return req, refuse("unexpected packet %v among the commands of a push", kind)
		}
		if err := s.addLine(req, line); err != nil {
			return req, err
		}
	}
	if len(req.commands) > 0 && req.caps.pushOptions {
		return req, s.readOptions(req, r)
	}
	return req, nil
}

func (s *Server) addLine(req *pushRequest, line []byte) error {
	if rest, ok := bytes.CutPrefix(line, []byte("shallow ")); ok {
		h, ok := parseHash(string(pktline.TrimLF(rest)))
		if !ok {
			return refuse("malformed shallow line %q", clip(string(rest), 64))
		}
		if len(req.shallow) >= s.cfg.MaxWants {
			return refuse("more than %d shallow commits in one push; deepen your clone with git fetch --unshallow", s.cfg.MaxWants)
		}
		req.shallow = append(req.shallow, h)
		return nil
	}
	if bytes.HasPrefix(line, []byte("push-cert")) {
		_, list, _ := bytes.Cut(pktline.TrimLF(line), []byte{0})
		req.caps, _ = parseCapabilities(string(list)) // for the words below
		return refuse("signed pushes are not accepted here; push again with --no-signed")
	}
	text, list, hasCaps := bytes.Cut(line, []byte{0})
	if hasCaps && len(req.commands) == 0 {
		caps, err := parseCapabilities(string(list))
		req.caps = caps
		if err != nil {
			return err
		}
	} else if hasCaps {
		return refuse("capabilities behind a command that is not the first")
	}
	if len(req.commands) >= s.cfg.MaxCommands {
		return refuse("more than %d refs in one push; push them in parts", s.cfg.MaxCommands)
	}
	cmd, err := parseCommand(string(pktline.TrimLF(text)))
	if err != nil {
		return err
	}
	req.commands = append(req.commands, cmd)
	return nil
}

func (s *Server) readOptions(req *pushRequest, r *pktline.Reader) error {
	for {
		kind, line, err := r.Next()
		if err != nil {
			return fmt.Errorf("read push options: %w", noEOF(err))
		}
		if kind == pktline.Flush {
			return nil
		}
		if kind != pktline.Data {
			return refuse("unexpected packet %v among the options of a push", kind)
		}
		option := string(pktline.TrimLF(line))
		if len(req.options) >= s.cfg.MaxOptions {
			return refuse("more than %d push options", s.cfg.MaxOptions)
		}
		if len(option) > maxOptionLen || strings.ContainsRune(option, 0) {
			return refuse("push option %q is longer than %d bytes, or holds a NUL", clip(option, 64), maxOptionLen)
		}
		req.options = append(req.options, option)
	}
}

// parseCommand parses "old new ref".
func parseCommand(line string) (Command, error) {
	const refAt = 2*hashLen + 2
	malformed := refuse("malformed command %q", clip(line, 128))
	if len(line) <= refAt || line[hashLen] != ' ' || line[refAt-1] != ' ' {
		return Command{}, malformed
	}
	before, ok1 := parseHash(line[:hashLen])
	after, ok2 := parseHash(line[hashLen+1 : refAt-1])
	if !ok1 || !ok2 {
		return Command{}, malformed
	}
	if len(line)-refAt > maxRefName {
		return Command{}, refuse("a ref name longer than %d bytes: %q", maxRefName, clip(line[refAt:], 64))
	}
	return Command{Ref: line[refAt:], Old: before, New: after}, nil
}

// parseHash parses 40 small hexadecimal digits.
func parseHash(s string) (plumbing.Hash, bool) {
	if len(s) != hashLen {
		return plumbing.ZeroHash, false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return plumbing.ZeroHash, false
		}
	}
	return plumbing.NewHash(s), true
}

// noEOF turns the end of a stream into one that came too early.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
