package pktline

import (
	"errors"
	"fmt"
	"io"
)

const (
	// MaxPacket is the size of the largest packet, its length included.
	MaxPacket = 65520
	// MaxData is the size of the largest payload.
	MaxData = MaxPacket - headerLen

	headerLen = 4
)

// A Kind tells packets with data from the special ones.
type Kind uint8

// The kinds of packets.
const (
	Data        Kind = iota // a payload, perhaps an empty one
	Flush                   // 0000: end of a message
	Delim                   // 0001: end of a section (v2)
	ResponseEnd             // 0002: end of a response (v2, stateless)
)

// String returns the packet as it is on the wire, or "data".
func (k Kind) String() string {
	switch k {
	case Flush:
		return "0000"
	case Delim:
		return "0001"
	case ResponseEnd:
		return "0002"
	case Data:
		return "data"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// ErrLength is returned for a length that no packet can have.
var ErrLength = errors.New("invalid packet length")

// A Reader reads packets. It takes no byte from the underlying reader beyond
// the packet that it returns. It must not be used by several goroutines at once.
type Reader struct {
	r   io.Reader
	buf []byte
}

// NewReader returns a reader of packets from r, which should be buffered.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next returns the next packet. The payload is valid until the next call. At
// the end of the stream the error is [io.EOF], within a packet it is
// [io.ErrUnexpectedEOF].
func (r *Reader) Next() (Kind, []byte, error) {
	var head [headerLen]byte
	if r.buf == nil {
		r.buf = make([]byte, 0, 1024)
	}
	h := r.buf[:headerLen]
	if _, err := io.ReadFull(r.r, h); err != nil {
		return Data, nil, err
	}
	copy(head[:], h)
	n, ok := parseLength(head)
	switch {
	case !ok || n == 3 || n > MaxPacket:
		return Data, nil, fmt.Errorf("%w %q", ErrLength, head[:])
	case n < headerLen:
		return Kind(n + 1), nil, nil
	}
	n -= headerLen
	if cap(r.buf) < n {
		r.buf = make([]byte, 0, MaxData)
	}
	data := r.buf[:n]
	if _, err := io.ReadFull(r.r, data); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Data, nil, err
	}
	return Data, data, nil
}

func parseLength(h [headerLen]byte) (int, bool) {
	n := 0
	for _, c := range h {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int(c-'a'+10)
		case c >= 'A' && c <= 'F':
			n = n<<4 | int(c-'A'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// TrimLF returns line without the line feed that it may end with.
func TrimLF(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		return line[:n-1]
	}
	return line
}
