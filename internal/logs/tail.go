package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"
)

// Tail reads an app's log: the last lines that match, in order, and with
// Options.Follow new ones as they come, until ctx is done. An app without a log
// has an empty one. What a slow reader misses, because the log takes no more
// than it may on disk, is replaced by a line that says how much it is.
//
// An error ends the lines; there is none when ctx is done, nor when the app's
// log is removed.
func (s *Store) Tail(ctx context.Context, app string, o Options) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		f, err := s.follow(app, o, "L11 (tail buffer overflow)")
		if err != nil {
			yield(Line{}, err)
			return
		}
		defer f.close()
		for ctx.Err() == nil {
			l, err := f.next()
			if errors.Is(err, io.EOF) {
				if !o.Follow {
					return
				}
				if err = f.wait(ctx); err == nil {
					continue
				}
				if ctx.Err() != nil || errors.Is(err, errGone) {
					return
				}
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// A follower reads the lines that match. It is for one goroutine.
type follower struct {
	store *Store
	opts  Options
	cur   cursor
	until int64  // where to stop
	code  string // of the line that says that lines are gone

	last time.Time // of the last line that was read
	held *Line     // comes before the next
}

// follow starts with the last o.Num lines. The caller closes the follower.
func (s *Store) follow(app string, o Options, code string) (*follower, error) {
	st, err := s.acquire(app)
	if err != nil {
		return nil, err
	}
	f := &follower{store: s, opts: o, cur: cursor{st: st}, until: math.MaxInt64, code: code, last: time.Now()}
	if err := f.start(); err != nil {
		f.close()
		return nil, fmt.Errorf("read log of %s: %w", app, err)
	}
	return f, nil
}

func (f *follower) start() error {
	if err := f.cur.st.ready(); err != nil {
		return err
	}
	end, err := f.cur.start(f.opts.num(), func(line []byte) bool {
		r, err := parseRecord(line)
		return err == nil && f.opts.match(r.source, r.dyno)
	})
	if !f.opts.Follow {
		f.until = end
	}
	return err
}

// next returns the next line, or io.EOF if there is none at present.
func (f *follower) next() (Line, error) {
	if f.held != nil {
		l := *f.held
		f.held = nil
		return l, nil
	}
	for {
		line, lost, err := f.cur.next(f.until)
		var notice *Line
		if lost > 0 {
			notice = &Line{
				At: time.Now().UTC(), Source: SourceSlipway, Dyno: "logs",
				Text: "Error " + f.code + ": " + dropped(int(lost), f.last),
			}
		}
		if err != nil {
			if notice != nil {
				return *notice, nil
			}
			return Line{}, err
		}
		l, ok := f.parse(line)
		switch {
		case notice != nil && ok:
			f.held = &l
			return *notice, nil
		case notice != nil:
			return *notice, nil
		case ok:
			return l, nil
		}
	}
}

// parse is false for a record that does not match. What is not a record, as a
// failing disk may make it, matches nothing.
func (f *follower) parse(line []byte) (Line, bool) {
	r, err := parseRecord(line)
	if err != nil {
		return Line{}, false
	}
	if !f.opts.match(r.source, r.dyno) {
		return Line{}, false
	}
	l, err := r.line()
	if err != nil {
		return Line{}, false
	}
	f.last = l.At
	return l, true
}

// wait waits until next may have a line.
func (f *follower) wait(ctx context.Context) error {
	grown, err := f.cur.st.more(f.cur.pos)
	if grown == nil {
		return err
	}
	select {
	case <-grown:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *follower) close() {
	f.cur.close()
	f.store.release(f.cur.st)
}
