package pktline

import (
	"fmt"
	"io"
)

const hexDigits = "0123456789abcdef"

// AppendHeader appends the length of a packet with n bytes of payload.
func AppendHeader(dst []byte, n int) []byte {
	n += headerLen
	return append(dst, hexDigits[n>>12&15], hexDigits[n>>8&15], hexDigits[n>>4&15], hexDigits[n&15])
}

// Append appends a packet with the payload s, cut at [MaxData].
func Append(dst []byte, s string) []byte {
	if len(s) > MaxData {
		s = s[:MaxData]
	}
	return append(AppendHeader(dst, len(s)), s...)
}

// A Writer writes packets. Its first error is kept and returned by every later
// call. It must not be used by several goroutines at once.
type Writer struct {
	w   io.Writer
	buf []byte
	err error
}

// NewWriter returns a writer of packets to w, which should be buffered.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Linef writes a formatted packet, cut at [MaxData]. It adds no line feed.
func (w *Writer) Linef(format string, args ...any) error {
	return w.Line(fmt.Sprintf(format, args...))
}

// Line writes a packet, cut at [MaxData]. It adds no line feed.
func (w *Writer) Line(s string) error {
	w.buf = Append(w.buf[:0], s)
	return w.write()
}

// Special writes a packet without data. Kind [Data] is an empty packet.
func (w *Writer) Special(k Kind) error {
	w.buf = w.buf[:0]
	switch k {
	case Flush:
		w.buf = append(w.buf, "0000"...)
	case Delim:
		w.buf = append(w.buf, "0001"...)
	case ResponseEnd:
		w.buf = append(w.buf, "0002"...)
	case Data:
		w.buf = append(w.buf, "0004"...)
	}
	return w.write()
}

// Flush writes a flush packet; it does not flush the underlying writer.
func (w *Writer) Flush() error { return w.Special(Flush) }

// Err returns the first error.
func (w *Writer) Err() error { return w.err }

func (w *Writer) write() error {
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	return w.err
}
