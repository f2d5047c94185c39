package logs

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const readBuffer = 32 << 10 // more than a record

// A cursor reads the records of a stream, from the disk and without holding
// anybody up: it takes no lock while it reads. A segment that is removed while
// it is being read stays readable until its end.
type cursor struct {
	st   *stream
	seg  segment
	pos  int64 // of the next record
	line int64 // its number

	file *os.File // nil until something is read
	src  window
	buf  *bufio.Reader
}

// A window reads a file up to a limit that may be moved.
type window struct {
	file     *os.File
	off, end int64 // within the file; no limit if end is negative
}

func (w *window) Read(p []byte) (int, error) {
	if w.end >= 0 {
		if w.off >= w.end {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), w.end-w.off)]
	}
	n, err := w.file.ReadAt(p, w.off)
	w.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// seek goes to a record of a segment.
func (c *cursor) seek(seg segment, pos, line int64) {
	c.close()
	c.seg, c.pos, c.line = seg, pos, line
}

func (c *cursor) close() {
	if c.file != nil {
		_ = c.file.Close()
		c.file = nil
	}
}

// next returns the next record before until, valid until next is called
// again, and how many lines before it are gone. It returns io.EOF if there is
// no more at present.
func (c *cursor) next(until int64) (line []byte, lost int64, err error) {
	for {
		v := c.st.now()
		if c.pos >= min(until, v.end) {
			return nil, lost, io.EOF
		}
		line, err := c.read(v)
		if err == nil {
			c.pos += int64(len(line))
			c.line++
			return line[:len(line)-1], lost, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			// It was removed after v was made, or by hand.
			v, err = c.st.settle(), io.EOF
		}
		if !errors.Is(err, io.EOF) {
			return nil, lost, err
		}
		lost += c.advance(v)
	}
}

// read reads a record of the present segment.
func (c *cursor) read(v view) ([]byte, error) {
	if c.file == nil {
		f, err := os.Open(filepath.Join(c.st.files.dir, c.seg.name()))
		if err != nil {
			return nil, err
		}
		c.file = f
		c.src = window{file: f, off: c.pos - c.seg.base}
		if c.buf == nil {
			c.buf = bufio.NewReaderSize(&c.src, readBuffer)
		}
		c.buf.Reset(&c.src)
	}
	c.src.end = -1
	if len(v.list) > 0 && v.list[len(v.list)-1] == c.seg {
		c.src.end = v.end - c.seg.base
	}
	line, err := c.buf.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) { // not ours; parseRecord will say so
		c.pos += int64(len(line))
		line, err = c.buf.ReadSlice('\n')
	}
	return line, err
}

// advance goes to the next segment there is, and returns how many lines are
// gone in between.
func (c *cursor) advance(v view) (lost int64) {
	for _, g := range v.list {
		if g.base > c.seg.base {
			lost = max(g.line-c.line, 0)
			c.seek(g, g.base, g.line)
			return lost
		}
	}
	lost = max(v.lines-c.line, 0)
	c.seek(c.seg, v.end, v.lines)
	return lost
}

// A mark is where a record is.
type mark struct {
	seg       segment
	pos, line int64
}

// start goes to the num-th last record that matches. What is appended later
// comes after it.
func (c *cursor) start(num int, match func([]byte) bool) (end int64, err error) {
	v := c.st.now()
	at := mark{pos: v.end, line: v.lines, seg: segment{base: -1}}
	if len(v.list) > 0 {
		at.seg = v.list[len(v.list)-1]
	}
	for i := len(v.list) - 1; i >= 0 && num > 0; i-- {
		marks, err := c.scan(v, i, num, match)
		if err != nil {
			return 0, err
		}
		if len(marks) > 0 {
			at = marks[0]
		}
		num -= len(marks)
	}
	c.seek(at.seg, at.pos, at.line)
	return v.end, nil
}

// scan finds the last num records of a segment that match.
func (c *cursor) scan(v view, i, num int, match func([]byte) bool) ([]mark, error) {
	seg := v.list[i]
	c.seek(seg, seg.base, seg.line)
	var ring []mark
	found := 0
	for c.pos < v.end {
		m := mark{seg: seg, pos: c.pos, line: c.line}
		line, err := c.read(v)
		if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		c.pos += int64(len(line))
		c.line++
		if !match(line[:len(line)-1]) {
			continue
		}
		if len(ring) < num {
			ring = append(ring, m)
		} else {
			ring[found%num] = m
		}
		found++
	}
	if found > num {
		cut := found % num
		ring = append(ring[cut:len(ring):len(ring)], ring[:cut]...)
	}
	return ring, nil
}
