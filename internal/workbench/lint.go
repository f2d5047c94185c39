package workbench

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/buildpacks/detector"
)

// Severities of a remark.
const (
	Wrong   = "error"   // detection goes wrong by it
	Suspect = "warning" // it may go wrong elsewhere
	Unseen  = "note"    // what could not be looked at
)

// A Remark is what lint has to say about a buildpack.
type Remark struct {
	ID        string `json:"id"`
	Severity  string `json:"severity"`
	Buildpack string `json:"buildpack"` // id@version, or its directory; "" if it is about all of them
	Place     string `json:"place"`     // a file of the buildpack, with its line, or the app's directory
	Text      string `json:"text"`      // a sentence without its full stop
	Do        string `json:"do"`        // what to do about it
}

// LintConfig bounds what is fine. The zero value is usable.
type LintConfig struct {
	Slow time.Duration // a slower bin/detect is remarked on; 1s if zero
}

// Lint remarks on what was observed in a detection, and on the difference from a
// second one of the same app, which may be nil. With a second one, which is asked
// for to be thorough, it also notes what the machine could not observe. Buildpacks
// are in the order of the groups, each once.
func Lint(r, again *detector.Report, cfg LintConfig) []Remark {
	if cfg.Slow == 0 {
		cfg.Slow = time.Second
	}
	remarks := []Remark{}
	second := distinct(again)
	for i, result := range distinct(r) {
		l := linter{cfg: cfg, place: r.Dir, result: result}
		l.answer()
		l.behaviour()
		l.output()
		if i < len(second) {
			l.again(second[i])
		}
		remarks = append(remarks, l.remarks...)
	}
	if again != nil {
		remarks = append(remarks, unseen(r)...)
	}
	return remarks
}

// distinct are the results of a report, each buildpack once.
func distinct(r *detector.Report) []detector.Result {
	if r == nil {
		return nil
	}
	var all []detector.Result
	seen := make(map[string]bool)
	for _, g := range r.Groups {
		for _, result := range g.Results {
			if name := named(result); !seen[name] {
				seen[name] = true
				all = append(all, result)
			}
		}
	}
	return all
}

func named(r detector.Result) string {
	if r.Version == "" {
		return r.ID
	}
	return r.ID + "@" + r.Version
}

// A linter remarks on one result.
type linter struct {
	cfg     LintConfig
	place   string
	result  detector.Result
	remarks []Remark
}

func (l *linter) add(id, severity, do, format string, args ...any) {
	l.remarks = append(l.remarks, Remark{
		ID: id, Severity: severity, Buildpack: named(l.result), Place: l.place, Text: fmt.Sprintf(format, args...), Do: do,
	})
}

// answer is about how it said yes or no.
func (l *linter) answer() {
	r := l.result
	switch {
	case r.Outcome != detector.Error || r.Classic:
	case r.ExitCode == 0 || r.ExitCode == 100:
		l.add("bad-plan", Wrong, "write a plan as the Buildpack Interface Specification has it, or none", "it answers, but %s", because(r.Err, "its plan cannot be used"))
	case r.ExitCode < 0:
		l.add("no-answer", Wrong, "mend that; a bin/detect exits with 0 to pass and with 100 to fail", "it does not answer: %s", because(r.Err, "it did not exit by itself"))
	case r.ExitCode == 1:
		l.add("exit-code", Wrong, "exit with 100 where the buildpack is not for the app; with set -e, guard each command that may fail", "it exits with 1, which is an error, not a no")
	default:
		l.add("exit-code", Wrong, "exit with 0 to pass and with 100 to fail", "it exits with %d, which is an error", r.ExitCode)
	}
}

func because(err, otherwise string) string {
	if err == "" {
		return otherwise
	}
	return err
}

// maxListed bounds the names in a text.
const maxListed = 5

// behaviour is about what it did beside answering.
func (l *linter) behaviour() {
	r := l.result
	if len(r.Unknown) > 0 {
		l.add("plan-key", Wrong, "look whether it is misspelt; a plan has provides, requires and or, and of your own what is below metadata", "its plan has keys that are passed over: %s", some(r.Unknown))
	}
	if r.LeftRunning {
		l.add("left-running", Suspect, "end what bin/detect starts before it exits", "it leaves processes running, which were stopped")
	}
	if len(r.Wrote) > 0 {
		l.add("writes-app", Wrong, "write to a temporary directory; only bin/build may change the app", "it changes the app: %s", some(r.Wrote))
	}
	if r.Network {
		l.add("network", Suspect, "decide by the app's files alone, and fetch in bin/build", "it uses the network, which a detection may not have")
	}
	if r.Took > l.cfg.Slow {
		l.add("slow", Suspect, "look only at names and at small files; every app that is pushed waits for it", "it takes %s, longer than %s", r.Took.Round(time.Millisecond), l.cfg.Slow)
	}
}

func some(names []string) string {
	if len(names) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

// output is about what it printed.
func (l *linter) output() {
	r := l.result
	if r.Dropped > 0 {
		l.add("much-output", Suspect, "print a few lines that say why", "it prints %d KiB, of which most is not kept", (r.Dropped+int64(len(r.Output)))>>10)
	}
	if bad := notUTF8(r.Output); bad > 0 && (r.Dropped == 0 || bad > 2*utf8.UTFMax) { // a cut may go through a character
		l.add("not-utf8", Suspect, "print UTF-8; show what comes from files only as far as it is text", "its output has %d bytes that are not UTF-8", bad)
	}
}

func notUTF8(data []byte) int {
	bad := 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			bad++
		}
		data = data[size:]
	}
	return bad
}

// again compares with a second run. Outputs may differ: they may tell times.
func (l *linter) again(second detector.Result) {
	r := l.result
	do := "decide by the app's files and the environment alone, not by time, chance, or what an earlier run left"
	switch {
	case named(r) != named(second):
	case r.Outcome != second.Outcome || r.ExitCode != second.ExitCode:
		l.add("unstable", Wrong, do, "it answers differently when asked again: %s (exit code %d), then %s (%d)", r.Outcome, r.ExitCode, second.Outcome, second.ExitCode)
	case !reflect.DeepEqual(r.Plans, second.Plans):
		l.add("unstable", Wrong, do, "it writes a different plan when asked again")
	}
}

// unseen says what the machine could not observe.
func unseen(r *detector.Report) []Remark {
	if r.Sandbox.How == "in process" || r.Sandbox.How == "sandbox" && len(r.Sandbox.Missing) == 0 {
		return nil
	}
	text := "there was no sandbox, so writes into the app and the use of the network were not seen"
	if r.Sandbox.How != "none" {
		text = "the sandbox was not whole, so something may have gone unseen"
	}
	if len(r.Sandbox.Missing) > 0 {
		text += ": " + strings.Join(r.Sandbox.Missing, "; ")
	}
	return []Remark{{ID: "unseen", Severity: Unseen, Place: r.Dir, Text: text, Do: "run it where user namespaces are allowed, or as root"}}
}
