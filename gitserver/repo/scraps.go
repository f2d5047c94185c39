package repo

import "slipway/gitserver/inflate"

// scraps are released pieces of memory, by size class, to be used again.
type scraps struct {
	lists [classes][][]byte
	bytes int64
}

// alloc returns n bytes, with room behind them that makes inflating fast.
func (s *scraps) alloc(n int) []byte {
	class, size := sizeClass(n + inflate.Slack)
	for i := class; i < min(class+3, classes); i++ {
		if list := s.lists[i]; len(list) > 0 {
			b := list[len(list)-1]
			list[len(list)-1] = nil // or it would live as long as the list
			s.lists[i] = list[:len(list)-1]
			s.bytes -= int64(cap(b))
			return b[:n]
		}
	}
	return make([]byte, n, size)
}

// release takes back what alloc gave, as far as that keeps the scraps within a
// budget.
func (s *scraps) release(b []byte, budget int64) {
	class, size := sizeClass(cap(b))
	if size == cap(b) && class < classes && s.bytes+int64(size) <= budget {
		s.lists[class] = append(s.lists[class], b)
		s.bytes += int64(size)
	}
}
