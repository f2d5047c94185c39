package gitserver

import (
	"context"
	"errors"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"slipway/gitserver/pktline"
	"slipway/gitserver/repo"
)

const maxRefPrefixes = 1000 // more prefixes than this mean all refs

// lsRefs lists references.
func (s *Server) lsRefs(ctx context.Context, w *wire, r *repo.Repo, args []string) error {
	o, err := parseLsRefs(args)
	if err != nil {
		return err
	}
	all, err := readRefs(r, s.cfg.HiddenRefs)
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
	for i := range all.list {
		ref := &all.list[i]
		if !o.matches(ref.Name) {
			continue
		}
		var peeled plumbing.Hash
		if o.peel {
			if peeled, err = peel(ctx, r, ref); err != nil {
				return err
			}
		}
		_ = pkt.Line(o.format(ref, peeled)) // Err returns the first error
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

func (o *lsRefsOptions) format(ref *repo.Ref, peeled plumbing.Hash) string {
	line := ref.Hash.String() + " " + ref.Name
	if o.symrefs && ref.Target != "" {
		line += " symref-target:" + ref.Target
	}
	if !peeled.IsZero() {
		line += " peeled:" + peeled.String()
	}
	return line + "\n"
}
