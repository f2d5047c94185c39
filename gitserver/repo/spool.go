package repo

import (
	"crypto/sha1" // the pack's own checksum, which is no protection
	"hash"
	"os"
	"sync"
)

// A spool hashes and writes what a source has read, beside it.
type spool struct {
	out  *os.File
	sum  hash.Hash
	jobs chan []byte
	free chan []byte
	done sync.WaitGroup

	mu     sync.Mutex
	err    error // of the first write that failed
	closed bool  // only the caller's goroutine looks at it
}

const spoolChunks = 3

func newSpool(out *os.File) *spool {
	s := &spool{out: out, sum: sha1.New(), jobs: make(chan []byte), free: make(chan []byte, spoolChunks)}
	s.done.Go(s.run)
	return s
}

func (s *spool) run() {
	for b := range s.jobs {
		s.sum.Write(b)
		if s.failed() == nil {
			if _, err := s.out.Write(b); err != nil {
				s.mu.Lock()
				s.err = err
				s.mu.Unlock()
			}
		}
		select {
		case s.free <- b[:cap(b)]:
		default:
		}
	}
}

func (s *spool) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// chunk returns memory for put.
func (s *spool) chunk() []byte {
	select {
	case b := <-s.free:
		return b
	default:
		return chunks.Get().(*[chunkSize]byte)[:]
	}
}

// chunks are those of ingests that are over: most pushes need a small part of
// one, and making them would be a good part of their cost.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// giveBack puts a chunk back that nobody uses any more.
func giveBack(b []byte) { chunks.Put((*[chunkSize]byte)(b[:chunkSize])) }

// put takes over a chunk. It waits while the one before is being written, and
// returns the error of an earlier write.
func (s *spool) put(b []byte) error {
	s.jobs <- b
	return s.failed()
}

// close waits for what was put, and returns its checksum. It may be called
// again, to be sure that nothing runs any more.
func (s *spool) close() ([]byte, error) {
	if !s.closed {
		s.closed = true
		close(s.jobs)
		s.done.Wait()
		for len(s.free) > 0 {
			giveBack(<-s.free)
		}
	}
	return s.sum.Sum(nil), s.failed()
}
