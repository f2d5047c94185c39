package logs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	segmentsPerApp = 8 // the oldest eighth goes when an app's log is full
	quickRotation  = time.Second
)

// A segment is one file of an app's log. All positions count from the start
// of the log, as if nothing had ever been removed.
type segment struct {
	base int64 // position of its first byte
	line int64 // number of its first line
}

func (g segment) name() string { return fmt.Sprintf("%016d-%016d.log", g.base, g.line) }

func parseSegment(name string) (segment, bool) {
	base, line, _ := strings.Cut(strings.TrimSuffix(name, ".log"), "-")
	var g segment
	var errs [2]error
	g.base, errs[0] = strconv.ParseInt(base, 10, 63)
	g.line, errs[1] = strconv.ParseInt(line, 10, 63)
	return g, errs == [2]error{} && name == g.name()
}

// segments are the files of one app's log and where its end is. They are not
// safe for concurrent use.
type segments struct {
	dir string
	max int64 // all files together

	list    []segment // oldest first; replaced, never changed in place
	end     int64
	lines   int64
	file    *os.File // the last of list, open for writing, or nil
	created time.Time
}

// load finds what is on disk, and cuts off a last line that a crash tore.
func (s *segments) load() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read log directory: %w", err)
	}
	s.list, s.end, s.lines = nil, 0, 0
	for _, e := range entries { // sorted by name, hence by position
		if g, ok := parseSegment(e.Name()); ok && e.Type().IsRegular() {
			s.list = append(s.list, g)
		}
	}
	if len(s.list) == 0 {
		return nil
	}
	last := s.list[len(s.list)-1]
	size, lines, err := repair(filepath.Join(s.dir, last.name()))
	if err != nil {
		return fmt.Errorf("repair log: %w", err)
	}
	s.end, s.lines = last.base+size, last.line+lines
	return nil
}

// repair removes what follows the last line feed of a file.
func repair(path string) (size, lines int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := bufio.NewReaderSize(f, 32<<10)
	torn := int64(0)
	for {
		part, err := r.ReadSlice('\n')
		torn += int64(len(part))
		switch {
		case err == nil:
			size, torn = size+torn, 0
			lines++
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			if torn == 0 {
				return size, lines, nil
			}
			return size, lines, f.Truncate(size)
		default:
			return 0, 0, err
		}
	}
}

// write appends whole records and returns how many bytes of them are on disk.
func (s *segments) write(records []byte) (n int, err error) {
	room := s.max / segmentsPerApp
	for n < len(records) {
		if s.file == nil {
			if err := s.open(); err != nil {
				return n, err
			}
		}
		size := s.end - s.list[len(s.list)-1].base
		part := fit(records[n:], room-size)
		if len(part) == 0 && size > 0 {
			if err := s.rotate(); err != nil {
				return n, err
			}
			continue
		}
		if err := s.writePart(part); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// fit is the longest beginning of whole records within some bytes.
func fit(records []byte, room int64) []byte {
	if int64(len(records)) <= room {
		return records
	}
	return records[:bytes.LastIndexByte(records[:max(room, 0)], '\n')+1]
}

func (s *segments) writePart(part []byte) error {
	if _, err := s.file.Write(part); err != nil {
		// Half a record must not have the next one written behind it.
		size := s.end - s.list[len(s.list)-1].base
		if cut := s.file.Truncate(size); cut != nil {
			_ = s.file.Close()
			s.file = nil // open repairs it
		}
		return fmt.Errorf("write log: %w", err)
	}
	s.end += int64(len(part))
	s.lines += int64(bytes.Count(part, []byte("\n")))
	return nil
}

// open prepares the last segment for writing; there is one afterwards.
func (s *segments) open() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make log directory: %w", err)
	}
	if len(s.list) == 0 {
		return s.create()
	}
	last := s.list[len(s.list)-1]
	f, err := os.OpenFile(filepath.Join(s.dir, last.name()), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // removed by hand
			return s.create()
		}
		return fmt.Errorf("open log: %w", err)
	}
	if err := f.Truncate(s.end - last.base); err != nil {
		return errors.Join(fmt.Errorf("repair log: %w", err), f.Close())
	}
	s.file, s.created = f, time.Time{}
	return nil
}

// rotate goes on with a new segment.
func (s *segments) rotate() error {
	// In a flood a segment is gone before it would have been on the disk; to
	// wait for the disk then only loses lines.
	if err := s.close(time.Since(s.created) > quickRotation); err != nil {
		return err
	}
	return s.create()
}

func (s *segments) create() error {
	next := segment{base: s.end, line: s.lines}
	f, err := os.OpenFile(filepath.Join(s.dir, next.name()), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create log: %w", err)
	}
	s.file, s.created = f, time.Now()
	list := s.list
	if n := len(list); n > 0 && list[n-1].base == next.base { // empty, and removed by hand
		list = list[:n-1]
	}
	for len(list) > 0 && s.end-list[0].base+s.max/segmentsPerApp > s.max {
		// One that stays is found, and removed, after the next load.
		_ = os.Remove(filepath.Join(s.dir, list[0].name()))
		list = list[1:]
	}
	s.list = append(slices.Clip(list), next)
	return nil
}

// close leaves the log as it is, without an open file.
func (s *segments) close(sync bool) error {
	if s.file == nil {
		return nil
	}
	var errs [2]error
	if sync {
		errs[0] = s.file.Sync()
	}
	errs[1] = s.file.Close()
	s.file = nil
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}
