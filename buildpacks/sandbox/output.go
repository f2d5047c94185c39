package sandbox

import (
	"io"
	"os"
	"time"
)

// A kept is the output of a program, of which it keeps the beginning and the end.
type kept struct {
	done  chan struct{} // closed at the end of the output
	half  int
	head  []byte
	tail  []byte // a ring once it is full
	next  int    // where the oldest byte of the ring is
	total int64
}

// keep reads r in the background, and keeps at most limit bytes.
func keep(r io.Reader, limit int) *kept {
	k := &kept{done: make(chan struct{}), half: max(limit/2, 1)}
	go func() {
		defer close(k.done)
		for buf := make([]byte, 32<<10); ; {
			n, err := r.Read(buf)
			k.add(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return k
}

func (k *kept) add(p []byte) {
	k.total += int64(len(p))
	if room := k.half - len(k.head); room > 0 {
		n := min(room, len(p))
		k.head = append(k.head, p[:n]...)
		p = p[n:]
	}
	if len(p) > k.half { // only its end can be kept
		k.tail, k.next = append(k.tail[:0], p[len(p)-k.half:]...), 0
		return
	}
	if room := k.half - len(k.tail); room > 0 {
		n := min(room, len(p))
		k.tail = append(k.tail, p[:n]...)
		p = p[n:]
	}
	for len(p) > 0 {
		n := copy(k.tail[k.next:], p)
		k.next = (k.next + n) % k.half
		p = p[n:]
	}
}

// end waits for the end of the output, which is near, and gives what was kept
// and how much was not.
func (k *kept) end(r *os.File) ([]byte, int64) {
	const patience = 5 * time.Second
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		_ = r.Close() // which ends the reading too
	}
	<-k.done
	out := append(k.head, k.tail[k.next:]...)
	out = append(out, k.tail[:k.next]...)
	return out, k.total - int64(len(out))
}
