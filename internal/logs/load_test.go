package logs_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/logs"
)

func TestEachWritersLinesStayInOrder(t *testing.T) {
	t.Parallel()
	const writers, lines = 8, 10_000
	s := openConfig(t, logs.Config{Dir: t.TempDir(), MaxBytes: 64 << 20})
	s.Append(app, web("start"))
	r := follow(t.Context(), t, s, logs.Options{Num: 1})
	r.want("start")
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for i := range lines {
				s.Append(app, logs.Line{Source: logs.SourceApp, Dyno: "web." + strconv.Itoa(w), Text: strconv.Itoa(i)})
			}
		})
	}
	next := map[string]int{}
	for range writers * lines {
		l := r.next()
		if l.Text != strconv.Itoa(next[l.Dyno]) {
			t.Fatalf("line %d of %s = %q", next[l.Dyno], l.Dyno, l.Text)
		}
		next[l.Dyno]++
	}
	work.Wait()
}

func TestSlowReaderIsToldWhatItMissed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	s.Append(app, web("start"))
	r := follow(t.Context(), t, s, logs.Options{Num: 1})
	r.want("start")
	const lines = 20_000
	for i := range lines {
		s.Append(app, web("line %d", i))
	}
	past(t, s, logs.Options{Num: 1}) // all of it is on disk, or gone again
	notice := regexp.MustCompile(`^Error L11 \(tail buffer overflow\): (\d+) messages dropped since 20`)
	for want := 0; want < lines; {
		l := r.next()
		if m := notice.FindStringSubmatch(l.Text); m != nil {
			n, _ := strconv.Atoi(m[1])
			want += n
			continue
		}
		if l.Text != fmt.Sprintf("line %d", want) {
			t.Fatalf("followed line = %q, want line %d", l.Text, want)
		}
		want++
	}
}

func TestReadersDuringAFlood(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var done atomic.Bool
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; !done.Load(); i++ {
			s.Append(app, web("%d", i))
		}
	})
	for range 50 {
		last := -1
		for _, l := range past(t, s, logs.Options{Num: 1000, Dyno: "web"}) {
			n, err := strconv.Atoi(l.Text)
			if err != nil || last >= 0 && n <= last {
				t.Fatalf("line %q after %d", l.Text, last)
			}
			last = n
		}
	}
	done.Store(true)
	work.Wait()
}

// A FIFO in the place of the log's first file is a disk that does not answer
// until somebody reads.
func TestAStuckDiskHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := logs.Open(logs.Config{Dir: dir, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, app, firstSegment)
	if err := errors.Join(os.Mkdir(filepath.Dir(fifo), 0o700), syscall.Mkfifo(fifo, 0o600)); err != nil {
		t.Fatal(err)
	}
	const lines = 5000
	began := time.Now()
	for i := range lines {
		s.Append(app, web("%d %s", i, strings.Repeat("x", 1000)))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Append() of %d lines took %v, want it to give up soon", lines, took)
	}
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.SetReadDeadline(time.Now().Add(10 * time.Second))
	s.Append(app, web("the end"))
	got, dropped := 0, 0
	notice := regexp.MustCompile(`slipway\[logs\]: Error L10 \(output buffer overflow\): (\d+) messages dropped`)
	in := bufio.NewReader(f)
	for dropped+got < lines {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d lines and %d dropped: %v", got, dropped, err)
		}
		if m := notice.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			dropped += n
			continue
		}
		got++
	}
	if got*1000 > 3<<20 || dropped == 0 {
		t.Errorf("%d lines waited and %d were dropped, want some 2 MiB to wait", got, dropped)
	}
	_ = s.Close() // a FIFO cannot be synced
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	s.Append(app, web("old"))
	r := follow(t.Context(), t, s, logs.Options{Num: 1})
	r.want("old")
	if err := s.Remove(app); err != nil {
		t.Fatal(err)
	}
	if err := <-r.end; err != nil {
		t.Errorf("Tail() of a removed app ends with %v, want nil", err)
	}
	if _, err := os.Stat(filepath.Join(dir, app)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory after Remove(): %v, want none", err)
	}
	s.Append(app, web("new"))
	wantTexts(t, "Tail() of the next app of the name", past(t, s, logs.Options{Num: 9}), "new")
}

func TestFollowedLinesComeSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		s.Append(app, web("start"))
		r := follow(t.Context(), t, s, logs.Options{Num: 1})
		r.want("start")
		for range 3 {
			began := time.Now()
			s.Append(app, web("x"))
			r.want("x")
			if took := time.Since(began); took > 20*time.Millisecond {
				t.Errorf("a followed line took %v, want 20ms at most", took)
			}
		}
	})
}

func TestCloseEndsReaders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	s.Append(app, web("first"))
	r := follow(t.Context(), t, s, logs.Options{Num: 1})
	r.want("first")
	s.Append(app, web("last"))
	shut(t, s)
	r.want("last")
	if err := <-r.end; !errors.Is(err, logs.ErrClosed) {
		t.Errorf("Tail() of a closed store ends with %v, want %v", err, logs.ErrClosed)
	}
	s.Append(app, web("too late"))
	wantTexts(t, "Tail() after Close()", past(t, open(t, dir), logs.Options{Num: 9}), "first", "last")
}

func TestIdleAppsLeaveNothingBehind(t *testing.T) { // it counts the process's open files
	before := openFiles(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		for i := range 50 {
			s.Append("app-"+strconv.Itoa(i), web("x"))
		}
		s.Append(app, web("x"))
		r := follow(t.Context(), t, s, logs.Options{Num: 1})
		r.want("x")
		<-time.After(time.Second)
		synctest.Wait()
		if n := openFiles(t); n < before+50 {
			t.Errorf("%d files are open, want some at work", n)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if n := openFiles(t); n > before+1 { // the reader's
			t.Errorf("%d files are open after a minute, want %d", n, before+1)
		}
		s.Append(app, web("y"))
		r.want("y")
		wantTexts(t, "Tail() of an app that rested", past(t, s, logs.Options{Num: 9}), "x", "y")
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func BenchmarkAppend(b *testing.B) {
	s := openConfig(b, logs.Config{Dir: b.TempDir()})
	text := strings.Repeat("a line of a usual length ", 4)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	b.RunParallel(func(p *testing.PB) {
		l := logs.Line{At: time.Now(), Source: logs.SourceApp, Dyno: "web.1", Text: text}
		for p.Next() {
			s.Append(app, l)
		}
	})
	b.StopTimer()
	if notices := past(b, s, logs.Options{Num: logs.MaxNum, Dyno: "logs"}); len(notices) > 0 {
		b.Errorf("lines were dropped: %q", notices[0].Text)
	}
}
