package repo

import "context"

// WithStep has a function called before each step of upkeep that changes a
// file; an error fails the step.
func (o Options) WithStep(f func(op string) error) Options {
	o.step = f
	return o
}

// ClonesFlat reports whether a clone of wants does without reading trees from
// the top down.
func (r *Repo) ClonesFlat(ctx context.Context, wants []Hash, o PackOptions) (bool, error) {
	s := &sender{ctx: ctx, r: r, m: newMarks(&r.Objects), o: o}
	if all, err := s.wantsAll(wants, nil); !all || err != nil {
		return false, err
	}
	w := newWalk(ctx, s.m)
	for _, h := range wants {
		if err := w.root(h, false); err != nil {
			return false, err
		}
	}
	return s.everything(ctx, w)
}
