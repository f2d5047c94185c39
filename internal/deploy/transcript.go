package deploy

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// A transcript is what the pusher sees. An error of writing is not looked at: a
// pusher who is gone cancels the push's context.
type transcript struct{ io.Writer }

func (t transcript) step(format string, a ...any) {
	fmt.Fprintf(t.Writer, "-----> "+format+"\n", a...)
}

func (t transcript) detail(format string, a ...any) {
	fmt.Fprintf(t.Writer, "       "+format+"\n", a...)
}

// warn writes one or more lines of a warning or an error.
func (t transcript) warn(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprintln(t.Writer, strings.TrimRight(" !     "+strings.TrimRight(line, "\n"), " "))
	}
}

func (t transcript) text(s string) { fmt.Fprint(t.Writer, s) }

// rejected ends the transcript of a push that does not stand.
func (t transcript) rejected(app, why string) {
	t.text("\n")
	t.warn(why)
	t.text("\n")
	t.warn("Push failed")
	t.text("\nVerifying deploy...\n\n!\tPush rejected to " + app + ".\n\n")
}

// megabytes is a size as Heroku prints it: "21.2M".
func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%dK", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1fM", float64(n)/(1<<20))
}

// An indent writes what a program prints as details of a step.
type indent struct {
	io.Writer
	midLine bool
}

func (w *indent) Write(b []byte) (int, error) {
	var out []byte
	for line := range bytes.Lines(b) {
		if !w.midLine {
			out = append(out, "       "...)
		}
		out = append(out, line...)
		w.midLine = !bytes.HasSuffix(line, []byte("\n"))
	}
	if _, err := w.Writer.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}
