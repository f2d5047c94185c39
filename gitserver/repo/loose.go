package repo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A looseFile is an open loose object, its header read.
type looseFile struct {
	f    *os.File
	br   *bufio.Reader
	z    *inflater
	kind ObjectType
	size int64
	left int64
}

func loosePath(dir string, h Hash) string {
	s := h.String()
	return filepath.Join(dir, s[:2], s[2:])
}

// openLoose opens the loose object h below dir; the error is fs.ErrNotExist
// if there is none.
func openLoose(dir string, h Hash) (*looseFile, error) {
	f, err := os.Open(loosePath(dir, h))
	if err != nil {
		return nil, err
	}
	l := &looseFile{f: f, br: bufReaders.Get().(*bufio.Reader), z: inflaters.Get().(*inflater)}
	l.br.Reset(f)
	if err := l.readHead(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrCorrupt, f.Name(), err), l.Close())
	}
	return l, nil
}

func (l *looseFile) readHead() error {
	if err := l.z.reset(l.br); err != nil {
		return err
	}
	var head [32]byte
	n := 0
	for ; ; n++ {
		if n == len(head) {
			return errors.New("malformed header")
		}
		if _, err := io.ReadFull(l.z.zr, head[n:n+1]); err != nil {
			return noEOF(err)
		}
		if head[n] == 0 {
			break
		}
	}
	name, size, ok := bytes.Cut(head[:n], []byte{' '})
	kind, known := parseType(string(name))
	v, err := strconv.ParseInt(string(size), 10, 64)
	if !ok || !known || err != nil || v < 0 {
		return errors.New("malformed header")
	}
	l.kind, l.size, l.left = kind, v, v
	return nil
}

// Read reads the content.
func (l *looseFile) Read(b []byte) (int, error) {
	if l.z == nil {
		return 0, os.ErrClosed
	}
	if l.left == 0 {
		return 0, io.EOF
	}
	n, err := l.z.zr.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	switch {
	case l.left == 0:
		err = l.z.end()
	case err != nil:
		err = noEOF(err)
	}
	if err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrCorrupt, l.f.Name(), err)
	}
	return n, err
}

// Close closes the file and gives the buffers back, once: a second call must
// not put them where two readers would find them.
func (l *looseFile) Close() error {
	if l.z == nil {
		return nil
	}
	inflaters.Put(l.z)
	bufReaders.Put(l.br)
	l.z, l.br = nil, nil
	return l.f.Close()
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
