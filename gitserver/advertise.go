package gitserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

// The services, as clients name them.
const (
	serviceReceive = "git-receive-pack"
	serviceUpload  = "git-upload-pack"
)

const receiveCapabilities = "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=" + objectFormat

const uploadCapabilities = "multi_ack multi_ack_detailed thin-pack side-band side-band-64k ofs-delta" +
	" shallow deepen-since deepen-not deepen-relative filter no-progress include-tag allow-tip-sha1-in-want allow-reachable-sha1-in-want"

// fetchFeatures are what the command fetch of protocol v2 can do.
const fetchFeatures = "shallow wait-for-done filter ref-in-want"

// advertise writes what a service begins with: refs and capabilities, or only
// capabilities in protocol v2.
func (s *Server) advertise(ctx context.Context, c *call, w *wire, service string) error {
	pkt := pktline.NewWriter(w.out)
	if service == serviceUpload && c.version == 2 {
		s.advertiseV2(pkt)
		return errors.Join(pkt.Err(), w.flush())
	}
	r, err := repo.Open(c.dir, s.cfg.Repo)
	if err != nil {
		return fmt.Errorf("open repository: %w", err)
	}
	defer func() { c.warn("close repository", r.Close()) }()
	if c.version == 1 {
		_ = pkt.Line("version 1\n") // Err returns the first error
	}
	if service == serviceReceive {
		err = s.advertiseReceive(pkt, r)
	} else {
		err = s.advertiseUpload(ctx, c, pkt, r)
	}
	if err != nil {
		return err
	}
	_ = pkt.Flush() // Err returns the first error
	return errors.Join(pkt.Err(), w.flush())
}

func (s *Server) advertiseReceive(pkt *pktline.Writer, r *repo.Repo) error {
	refs, err := r.Refs()
	if err != nil {
		return fmt.Errorf("read refs: %w", err)
	}
	list := newRefList(pkt, receiveCapabilities+" agent="+s.cfg.Agent)
	for _, ref := range refs {
		if !hidden(s.cfg.HiddenRefs, ref.Name) {
			list.add(ref.Hash, ref.Name)
		}
	}
	return list.end()
}

func (s *Server) advertiseUpload(ctx context.Context, c *call, pkt *pktline.Writer, r *repo.Repo) error {
	refs, err := readRefs(r, s.cfg.HiddenRefs)
	if err != nil {
		return err
	}
	caps := uploadCapabilities
	if c.stateless {
		caps += " no-done" // saves a request
	}
	if refs.target != "" && !refs.head.IsZero() {
		caps += " symref=HEAD:" + refs.target
	}
	list := newRefList(pkt, caps+" object-format="+objectFormat+" agent="+s.cfg.Agent)
	if !refs.head.IsZero() {
		list.add(refs.head, "HEAD")
	}
	for i := range refs.list {
		ref := &refs.list[i]
		list.add(ref.Hash, ref.Name)
		peeled, err := peel(ctx, r, ref)
		if err != nil {
			return err
		}
		if !peeled.IsZero() {
			list.add(peeled, ref.Name+"^{}")
		}
	}
	return list.end()
}

// advertiseV2 writes the capabilities of protocol v2, where refs are asked for.
func (s *Server) advertiseV2(pkt *pktline.Writer) {
	for _, line := range []string{
		"version 2", "agent=" + s.cfg.Agent, "ls-refs=unborn", "fetch=" + fetchFeatures, "server-option",
		"object-format=" + objectFormat, "object-info=size",
	} {
		_ = pkt.Line(line + "\n") // the caller looks at Err
	}
	_ = pkt.Flush() // the caller looks at Err
}

// A refList writes an advertisement, with the capabilities behind its first line.
type refList struct {
	pkt  *pktline.Writer
	caps string
}

func newRefList(pkt *pktline.Writer, caps string) *refList {
	return &refList{pkt: pkt, caps: caps}
}

func (l *refList) add(h plumbing.Hash, name string) {
	var b strings.Builder
	b.Grow(hashLen + len(name) + len(l.caps) + 3)
	b.WriteString(h.String())
	b.WriteByte(' ')
	b.WriteString(name)
	if l.caps != "" {
		b.WriteByte(0)
		b.WriteString(l.caps)
		l.caps = ""
	}
	b.WriteByte('\n')
	_ = l.pkt.Line(b.String()) // end returns the first error
}

func (l *refList) end() error {
	if l.caps != "" {
		l.add(plumbing.ZeroHash, "capabilities^{}")
	}
	return l.pkt.Err()
}
