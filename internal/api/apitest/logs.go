package apitest

import (
	"context"
	"iter"
	"strings"
	"sync"

	"slipway/internal/api"
	"slipway/internal/logs"
)

// Logs is one log, of every app.
type Logs struct {
	mu     sync.Mutex
	lines  []logs.Line
	broken error         // comes after the lines
	more   chan struct{} // closed when there are more lines
}

var _ api.Logs = (*Logs)(nil)

// Append adds lines.
func (l *Logs) Append(lines ...logs.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, lines...)
	close(l.more)
	l.more = make(chan struct{})
}

// Break makes reading fail after the lines that there are.
func (l *Logs) Break(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

func (l *Logs) from(n int) ([]logs.Line, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[n:], l.more, l.broken
}

// Tail reads the log.
func (l *Logs) Tail(ctx context.Context, _ string, o logs.Options) iter.Seq2[logs.Line, error] {
	return func(yield func(logs.Line, error) bool) {
		lines, more, err := l.from(0)
		n := len(lines)
		var matching []logs.Line
		for _, line := range lines {
			if match(line, o) {
				matching = append(matching, line)
			}
		}
		for _, line := range matching[max(0, len(matching)-o.Num):] {
			if !yield(line, nil) {
				return
			}
		}
		for err == nil && o.Follow {
			select {
			case <-ctx.Done():
				return
			case <-more:
			}
			lines, more, err = l.from(n)
			n += len(lines)
			for _, line := range lines {
				if match(line, o) && !yield(line, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(logs.Line{}, err)
		}
	}
}

func match(line logs.Line, o logs.Options) bool {
	return (o.Source == "" || o.Source == line.Source) &&
		(o.Dyno == "" || o.Dyno == line.Dyno || strings.HasPrefix(line.Dyno, o.Dyno+"."))
}
