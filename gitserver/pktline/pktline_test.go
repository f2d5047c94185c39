package pktline_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/gitserver/pktline"
)

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		kind     pktline.Kind
		data     string
		err      error
	}{
		{"a line", "0009hello", pktline.Data, "hello", nil},
		{"capital digits", "000Ahello\n", pktline.Data, "hello\n", nil},
		{"an empty line", "0004", pktline.Data, "", nil},
		{"flush", "0000x", pktline.Flush, "", nil},
		{"delimiter", "0001", pktline.Delim, "", nil},
		{"response end", "0002", pktline.ResponseEnd, "", nil},
		{"three", "0003", 0, "", pktline.ErrLength},
		{"no digits", "000g", 0, "", pktline.ErrLength},
		{"a sign", "+009hello", 0, "", pktline.ErrLength},
		{"too long", "fff1", 0, "", pktline.ErrLength},
		{"nothing", "", 0, "", io.EOF},
		{"a cut length", "00", 0, "", io.ErrUnexpectedEOF},
		{"a cut line", "0009hell", 0, "", io.ErrUnexpectedEOF},
		{"no line", "0009", 0, "", io.ErrUnexpectedEOF},
		{"the longest line", "fff0" + strings.Repeat("x", pktline.MaxData), pktline.Data, strings.Repeat("x", pktline.MaxData), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kind, data, err := pktline.NewReader(strings.NewReader(c.in)).Next()
			if !errors.Is(err, c.err) || kind != c.kind || string(data) != c.data {
				t.Errorf("Next() = %v, %.20q, %v, want %v, %.20q, %v", kind, data, err, c.kind, c.data, c.err)
			}
		})
	}
}

func TestWriterAndReaderAgree(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := pktline.NewWriter(&b)
	_ = w.Linef("hello %d\n", 1)
	_ = w.Special(pktline.Delim)
	_ = w.Line("")
	_ = w.Special(pktline.ResponseEnd)
	_ = w.Line(strings.Repeat("x", pktline.MaxPacket))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	r := pktline.NewReader(&b)
	for i, want := range []struct {
		kind pktline.Kind
		size int
	}{{pktline.Data, 8}, {pktline.Delim, 0}, {pktline.Data, 0}, {pktline.ResponseEnd, 0}, {pktline.Data, pktline.MaxData}, {pktline.Flush, 0}} {
		kind, data, err := r.Next()
		if err != nil || kind != want.kind || len(data) != want.size {
			t.Errorf("packet %d: %v, %d bytes, %v, want %v", i, kind, len(data), err, want)
		}
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("Next() at the end = %v, want EOF", err)
	}
}

func TestWriterKeepsItsError(t *testing.T) {
	t.Parallel()
	r, pw := io.Pipe()
	r.Close()
	w := pktline.NewWriter(pw)
	if w.Line("x") == nil || w.Flush() == nil || w.Err() == nil {
		t.Error("an error was lost")
	}
}

// demux takes bands apart.
func demux(t *testing.T, b []byte) (bands [4]string, packets int) {
	t.Helper()
	r := pktline.NewReader(bytes.NewReader(b))
	for {
		kind, data, err := r.Next()
		if errors.Is(err, io.EOF) || kind == pktline.Flush {
			return bands, packets
		}
		if err != nil || len(data) == 0 || data[0] < 1 || data[0] > 3 {
			t.Fatalf("packet %d: %v %q %v", packets, kind, data, err)
		}
		bands[data[0]] += string(data[1:])
		packets++
	}
}

func TestMux(t *testing.T) {
	t.Parallel()
	for _, size := range []int{pktline.SmallBand, pktline.LargeBand, 1 << 20} {
		var b bytes.Buffer
		flushed := 0
		m := pktline.NewMux(&b, func() error { flushed++; return nil }, size)
		long := strings.Repeat("y", 200_000)
		_, _ = io.WriteString(m.Band(pktline.BandData), "data")
		if flushed != 0 {
			t.Error("data was flushed")
		}
		if n, err := io.WriteString(m.Band(pktline.BandProgress), long); n != len(long) || err != nil {
			t.Errorf("Write() = %d, %v", n, err)
		}
		_, _ = io.WriteString(m.Band(pktline.BandFatal), "fatal")
		if flushed != 2 {
			t.Errorf("flushed %d times, want 2", flushed)
		}
		if err := m.Close(); err != nil || m.Close() != nil {
			t.Error(err)
		}
		if !bytes.HasSuffix(b.Bytes(), []byte("0000")) {
			t.Error("no flush packet at the end")
		}
		if _, err := m.Band(pktline.BandData).Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Write() after Close() = %v", err)
		}
		bands, packets := demux(t, b.Bytes())
		if bands != [4]string{"", "data", long, "fatal"} {
			t.Error("bands differ")
		}
		if want := 2 + (len(long)-1)/min(size, pktline.LargeBand) + 1; packets != want {
			t.Errorf("%d packets, want %d", packets, want)
		}
	}
}

func TestKeepalive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		m := pktline.NewMux(&b, nil, pktline.LargeBand)
		start := time.Now()
		time.Sleep(time.Second)
		_, _ = m.Band(pktline.BandData).Write([]byte("x"))
		if last, err := m.Keepalive(pktline.BandProgress, start); err != nil || last.Sub(start) != time.Second || strings.Contains(b.String(), "0005\x02") {
			t.Errorf("keepalive within silence: %v, %v, %q", last, err, b.String())
		}
		time.Sleep(time.Second)
		if last, err := m.Keepalive(pktline.BandProgress, time.Now()); err != nil || last != time.Now() || !strings.HasSuffix(b.String(), "0005\x02") {
			t.Errorf("keepalive: %v, %v, %q", last, err, b.String())
		}
	})
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"0000", "0009hello0001", "fff0", "0004", "ffff", "0003", "00", "\x00\x00\x00\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := pktline.NewReader(bytes.NewReader(in))
		var again bytes.Buffer
		w := pktline.NewWriter(&again)
		for {
			kind, data, err := r.Next()
			if err != nil {
				break
			}
			if kind == pktline.Data {
				_ = w.Line(string(data))
			} else {
				_ = w.Special(kind)
			}
		}
		if !bytes.EqualFold(in[:again.Len()], again.Bytes()) {
			t.Errorf("read and written again: %q, was %q", again.Bytes(), in)
		}
	})
}

func FuzzMux(f *testing.F) {
	f.Add([]byte("hello"), 5)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		var b bytes.Buffer
		m := pktline.NewMux(&b, nil, size)
		_, _ = m.Band(pktline.BandProgress).Write(data)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if bands, _ := demux(t, b.Bytes()); bands[2] != string(data) {
			t.Error("bands differ")
		}
	})
}
