package gitserver

import (
	"bytes"
	"strings"

	"slipway/gitserver/pktline"
)

const unpackOK = "ok"

// A verdict is what becomes of one command: reason is empty if its ref moved.
type verdict struct {
	cmd    Command
	reason string
	moved  bool // nothing can be said against it any more
}

// formatReport returns the report-status message. Version 2 differs only where
// a ref's outcome has options, which ours never has.
func formatReport(unpack string, verdicts []verdict) []byte {
	var b bytes.Buffer
	w := pktline.NewWriter(&b)
	_ = w.Linef("unpack %s\n", oneLine(unpack)) // a bytes.Buffer takes everything
	for _, v := range verdicts {
		if v.reason == "" {
			_ = w.Linef("ok %s\n", v.cmd.Ref)
			continue
		}
		_ = w.Linef("ng %s %s\n", v.cmd.Ref, oneLine(v.reason))
	}
	_ = w.Flush()
	return b.Bytes()
}

// oneLine makes s fit a line of the report.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.Map(printable, s)), " ")
	return clip(s, 512)
}

// printable replaces control characters, which could act on a terminal.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}
