package logs_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/logs"
)

func TestWriterMakesLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", logs.MaxLine)
	for name, c := range map[string]struct {
		writes []string
		want   []string
	}{
		"whole lines":              {[]string{"a\n", "b\r\nc\n"}, []string{"a", "b", "c"}},
		"a line in parts":          {[]string{"a", "", "b", "c\nd"}, []string{"abc", "d"}},
		"an empty line":            {[]string{"\n", "a\n\n"}, []string{"", "a", ""}},
		"a character in parts":     {[]string{"\xc3", "\xa9\n"}, []string{"é"}},
		"a line of the most bytes": {[]string{long, "\n", "a\n"}, []string{long, "a"}},
		"no line end at all":       {[]string{long[1:] + "é", long}, []string{long[1:], "é" + long[2:], "xx"}},
	} {
		s := open(t, t.TempDir())
		w := s.Writer(app, logs.SourceApp, "web.1")
		for _, p := range c.writes {
			if n, err := io.WriteString(w, p); n != len(p) || err != nil {
				t.Fatalf("%s: Write() = %d, %v, want all", name, n, err)
			}
		}
		w.Close()
		w.Close()
		got := past(t, s, logs.Options{Num: 9})
		wantTexts(t, name, got, c.want...)
		if got[0].Source != logs.SourceApp || got[0].Dyno != "web.1" {
			t.Errorf("%s: line of %s[%s], want app[web.1]", name, got[0].Source, got[0].Dyno)
		}
		if _, err := w.Write(nil); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Write() after Close() = %v, want %v", err, io.ErrClosedPipe)
		}
	}
}

func TestWriterShowsAPrompt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		w := s.Writer(app, logs.SourceApp, "web.1")
		defer w.Close()
		fmt.Fprint(w, "Password: \xc3")
		wantTexts(t, "Tail() at once", past(t, s, logs.Options{Num: 9}))
		<-time.After(201 * time.Millisecond)
		synctest.Wait()
		wantTexts(t, "Tail() after 200 ms", past(t, s, logs.Options{Num: 9}), "Password: ")
		fmt.Fprint(w, "\xa9 rest\n")
		fmt.Fprint(w, "Again: ")
		<-time.After(201 * time.Millisecond)
		synctest.Wait()
		fmt.Fprint(w, "\nnext\n")
		wantTexts(t, "Tail() in the end", past(t, s, logs.Options{Num: 9}), "Password: ", "é rest", "Again: ", "next")
	})
}
