package logs

import (
	"fmt"
	"sync"
	"time"
)

// buffers are lent to the streams that have something to write, so that the
// others have none.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// pending are records on their way to the disk.
type pending struct {
	records *[]byte // nil if none
	lost    int     // lines that could not be kept since lostAt
	lostAt  time.Time
	stalled bool          // the disk did not keep up; nobody waits for it
	room    chan struct{} // closed when there is room; nil if nobody waits
}

func (p *pending) empty() bool { return p.records == nil && p.lost == 0 }

func (p *pending) drop(lines int) {
	if p.lost == 0 {
		p.lostAt = time.Now()
	}
	p.lost += lines
}

// take empties p. If lines were lost, the last of the records says so.
func (p *pending) take(s *Store) (records *[]byte, lost int) {
	records, lost = p.records, p.lost
	if lost > 0 {
		if records == nil {
			records = buffers.Get().(*[]byte)
		}
		before := len(*records)
		*records = appendPrefix(*records, time.Now(), SourceSlipway, "logs")
		*records = fmt.Appendf(*records, "Error L10 (output buffer overflow): %s\n", dropped(lost, p.lostAt))
		s.buffered.Add(int64(len(*records) - before))
	}
	p.records, p.lost = nil, 0
	p.wakeWriters()
	return records, lost
}

// written gives a buffer back, and lets waiting writers go on.
func (p *pending) written(s *Store, records *[]byte) {
	s.buffered.Add(-int64(len(*records)))
	*records = (*records)[:0]
	buffers.Put(records)
	p.wakeWriters()
}

func (p *pending) wakeWriters() {
	if p.room != nil {
		close(p.room)
		p.room = nil
	}
}

// dropped is how it is said that lines are missing.
func dropped(n int, since time.Time) string {
	return fmt.Sprintf("%d messages dropped since %s.", n, since.UTC().Format(stampLayout))
}

// append adds lines. What it returns must be given to the app's next stream.
func (st *stream) append(lines []Line) (rest []Line) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := range lines {
		for text, more := lines[i].Text, true; more; {
			var piece string
			var plain bool
			piece, text, plain, more = cut(text)
			fits := st.makeRoom()
			switch {
			case st.gone != nil:
				return nil
			case st.retired:
				return lines[i:]
			case fits:
				st.put(&lines[i], piece, plain)
			default:
				st.drop(1)
			}
		}
	}
	return nil
}

// put adds one record.
func (st *stream) put(l *Line, piece string, plain bool) {
	records := appendPrefix(*st.records, l.At, l.Source, l.Dyno)
	if plain {
		records = append(records, piece...)
	} else {
		records = appendClean(records, piece)
	}
	records = append(records, '\n')
	st.store.buffered.Add(int64(len(records) - len(*st.records)))
	*st.records = records
}

// makeRoom prepares for another record and tells whether it fits. It may let
// go of mu for a moment.
func (st *stream) makeRoom() bool {
	if st.full() {
		st.awaitRoom()
		if st.full() {
			return false
		}
	}
	st.stalled = false
	if st.gone != nil || st.retired {
		return false
	}
	if st.records == nil {
		st.records = buffers.Get().(*[]byte)
		st.store.markDirty(st)
	} else if len(*st.records) > maxPending/4 {
		poke(st.store.urgent)
	}
	return true
}

func (st *stream) full() bool {
	return st.records != nil && len(*st.records) > maxPending-maxRecord || st.store.buffered.Load() > maxBuffered
}

// awaitRoom waits for flushes, but not for long.
func (st *stream) awaitRoom() {
	late := time.NewTimer(patience)
	defer late.Stop()
	for st.full() && !st.stalled && st.gone == nil {
		if st.room == nil {
			st.room = make(chan struct{})
		}
		room := st.room
		st.mu.Unlock()
		poke(st.store.urgent)
		select {
		case <-room:
			st.mu.Lock()
		case <-late.C:
			st.mu.Lock()
			st.stalled = true
		}
	}
}
