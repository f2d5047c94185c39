package logs

import (
	"bytes"
	"errors"
	"time"
)

var errRecord = errors.New("not a log line")

// A record is a line as it is on disk, without its line feed.
type record struct {
	stamp, source, dyno, text []byte
}

// parseRecord splits a line of a segment.
func parseRecord(line []byte) (record, error) {
	if len(line) <= len(stampLayout) || line[len(stampLayout)] != ' ' {
		return record{}, errRecord
	}
	r := record{stamp: line[:len(stampLayout)]}
	names, text, found := bytes.Cut(line[len(stampLayout)+1:], []byte("]: "))
	if !found {
		return record{}, errRecord
	}
	r.text = text
	if r.source, r.dyno, found = bytes.Cut(names, []byte("[")); !found {
		return record{}, errRecord
	}
	return r, nil
}

// line is the record as a [Line] of its own memory.
func (r record) line() (Line, error) {
	at, err := time.Parse(stampLayout, string(r.stamp))
	if err != nil {
		return Line{}, errRecord
	}
	return Line{At: at.UTC(), Source: string(r.source), Dyno: string(r.dyno), Text: string(r.text)}, nil
}
