package logs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/internal/logs"
)

const firstSegment = "0000000000000000-0000000000000000.log"

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// plant makes an app's log of one file.
func plant(tb testing.TB, data []byte) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	if err := os.Mkdir(filepath.Join(dir, app), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, app, firstSegment), data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestStreamSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 3 {
		s := open(t, dir)
		s.Append(app, web("%d", i))
		shut(t, s)
	}
	wantTexts(t, "Tail() after three starts", past(t, open(t, dir), logs.Options{Num: 9}), "0", "1", "2")
}

func TestLinesBeforeATornOneStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	s.Append(app, web("one"), web("two"), web("thrée"))
	shut(t, s)
	whole, err := os.ReadFile(filepath.Join(dir, app, firstSegment))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) + 1 {
		s, err := logs.Open(logs.Config{Dir: plant(t, whole[:n])})
		if err != nil {
			t.Fatal(err)
		}
		s.Append(app, web("after"))
		kept := bytes.Count(whole[:n], []byte("\n"))
		want := append(slices.Clone([]string{"one", "two", "thrée"}[:kept]), "after")
		wantTexts(t, fmt.Sprintf("Tail() of the first %d bytes", n), past(t, s, logs.Options{Num: 9}), want...)
		shut(t, s)
	}
}

func TestAFullDiskIsSurvivedAndToldOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	blocker := filepath.Join(dir, app) // a file where a directory should be
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Append(app, web("lost"), web("lost, too"))
	for _, err := range s.Tail(t.Context(), app, logs.Options{Num: 9}) { // which writes first
		if err == nil {
			t.Error("Tail() of a broken directory = no error, want one")
		}
	}
	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	s.Append(app, web("kept"))
	got := past(t, s, logs.Options{Num: 9})
	if len(got) != 2 || got[0].Text != "kept" || !strings.HasPrefix(got[1].Text, "Error L10 (output buffer overflow): 2 messages dropped since 20") {
		t.Errorf("Tail() = %q, want the line that was kept and an L10 for the two that were not", texts(got))
	}
}

func FuzzSegment(f *testing.F) {
	f.Add([]byte("2026-11-25T01:02:03.456789+00:00 app[web.1]: hello\n"))
	f.Add([]byte("2026-11-25T01:02:03.456789+00:00 app[web.1]: hello\nx\n\n[]: \n\x00\x00"))
	f.Add([]byte("2026-11-25T01:02:03.456789+01:00 app[]]: x\n2026-13-25T01:02:03.456789+00:00 app[web.1]: x\n"))
	f.Add(append(bytes.Repeat([]byte("x"), 100_000), '\n'))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := logs.Open(logs.Config{Dir: plant(t, data)})
		if err != nil {
			t.Fatal(err)
		}
		defer shut(t, s)
		s.Append(app, web("after"))
		lines := past(t, s, logs.Options{Num: logs.MaxNum})
		if len(lines) == 0 || lines[len(lines)-1].Text != "after" {
			t.Fatalf("Tail() = %q, want the appended line last", lines)
		}
		for _, l := range lines[:len(lines)-1] {
			if text := "[" + l.Dyno + "]: " + l.Text + "\n"; !bytes.Contains(data, []byte(text)) {
				t.Errorf("Tail() has %q, which the file has not", text)
			}
		}
	})
}
