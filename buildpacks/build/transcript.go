package build

import (
	"io"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	detail    = "       " // Heroku's indent for what belongs to a step
	tailLines = 60        // of a hidden phase, shown when it fails
	keptLines = 400       // of it, kept to be read then
	errLines  = 8         // of the lifecycle's words on why a phase failed
)

// A transcript decides what of the lifecycle's output the pusher sees. What
// buildpacks write while they build passes through, piece by piece. The
// lifecycle's own talk is kept back, and shown if its phase fails. With trace
// everything is shown.
type transcript struct {
	w     io.Writer
	trace bool
	now   func() time.Time

	mu      sync.Mutex
	times   PhaseTimes
	phase   string
	tail    []string
	dropped int
	began   map[int]unfinished // by stream
	open    int                // the stream whose unfinished line stands on the screen; 0 if none
	errs    []string           // the lifecycle's own words on why the phase failed
}

// An unfinished line has come in part: either some of it was shown, or all
// that came is held back.
type unfinished struct {
	held  string
	shown bool
}

func newTranscript(w io.Writer, trace bool) *transcript {
	return &transcript{w: w, trace: trace, now: time.Now, began: make(map[int]unfinished)}
}

// enter begins a phase that the caller knows of.
func (t *transcript) enter(phase string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enterLocked(phase)
}

func (t *transcript) enterLocked(phase string) {
	t.times.Enter(phase, t.now())
	t.phase = phase
	t.tail, t.dropped, t.errs = nil, 0, nil
}

// text implements lineSink.
func (t *transcript) text(stream int, piece string, whole bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.began[stream]
	if !u.shown {
		piece = u.held + piece
	}
	visible := t.trace || t.phase == phaseBuild
	switch {
	case whole:
		delete(t.began, stream)
		if at := lifecycleError(t.phase, piece); u.shown && at >= 0 && !t.trace {
			t.why(piece[at:])
			t.show(stream, piece[:at], true)
		} else if u.shown {
			t.show(stream, piece, true)
		} else {
			t.line(stream, piece)
		}
	case !u.shown && len(piece) < longestLine && (!visible || mayBeOurs(piece)):
		t.began[stream] = unfinished{held: piece}
	case !visible:
		t.keep(piece)
		delete(t.began, stream)
	default:
		t.show(stream, piece, false)
		t.began[stream] = unfinished{shown: true}
	}
}

// line takes a whole line of which nothing was shown yet.
func (t *transcript) line(stream int, s string) {
	if phase := PhaseOf(s); phase != "" {
		t.enterLocked(phase)
		if t.trace {
			t.show(stream, detail+s, true)
		}
		return
	}
	if lifecycleNoise(s) && !t.trace {
		return
	}
	if at := lifecycleError(t.phase, s); at >= 0 {
		t.why(s[at:])
		if !t.trace && at == 0 {
			return
		} else if !t.trace {
			s = s[:at] // the buildpack's last line had no end
		}
	}
	switch {
	case t.phase == phaseBuild:
		t.show(stream, s, true)
	case t.trace:
		t.show(stream, detail+s, true)
	default:
		t.keep(s)
	}
}

func (t *transcript) show(stream int, piece string, whole bool) {
	if t.open != 0 && t.open != stream {
		piece = "\n" + piece
	}
	t.open = stream
	if whole {
		piece += "\n"
		t.open = 0
	}
	_, _ = io.WriteString(t.w, piece) // a pusher who has gone is noticed elsewhere
}

// why notes what the lifecycle says about its end.
func (t *transcript) why(s string) {
	if len(t.errs) < errLines {
		t.errs = append(t.errs, s)
	}
}

func (t *transcript) keep(s string) {
	if len(t.tail) == keptLines {
		t.tail = t.tail[1:]
		t.dropped++
	}
	t.tail = append(t.tail, s)
}

// note shows a line of ours.
func (t *transcript) note(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show(-1, s, true)
}

// debug shows a line of pack's, with trace only.
func (t *transcript) debug(s string) {
	if !t.trace {
		return
	}
	for line := range strings.Lines(s) {
		t.note(detail + plain(strings.TrimRight(line, "\r\n")))
	}
}

// fail shows what was kept back of the phase that failed. Of buildpacks that the
// app has chosen and that do not detect it, it shows what they said.
func (t *transcript) fail(chosen bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if chosen && t.phase == phaseDetect {
		verdicts := incompatible(t.tail)
		for _, v := range verdicts {
			for _, line := range v.block() {
				t.show(-1, line, true)
			}
		}
		if len(verdicts) > 0 {
			t.tail, t.dropped = nil, 0
		}
	}
	if n := len(t.tail) - tailLines; n > 0 {
		t.tail, t.dropped = t.tail[n:], t.dropped+n
	}
	if t.dropped > 0 {
		t.show(-1, detail+"[…]", true)
	}
	for _, s := range t.tail {
		t.show(-1, detail+s, true)
	}
	t.tail, t.dropped = nil, 0
}

// end closes the last phase.
func (t *transcript) end() (phase string, buildpacks time.Duration, errs []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	phase = t.phase
	t.times.Enter("", t.now())
	if t.open != 0 {
		t.show(t.open, "", true)
	}
	return phase, t.times.Buildpacks(), t.errs
}

var buildError = regexp.MustCompile(`ERROR: failed to build: exit status \d+$`)

// lifecycleError returns where in a line of a phase the lifecycle says why it
// ends, -1 if nowhere. It does not begin a line of its own for it. While
// buildpacks build, their errors are told from its own by its verb.
func lifecycleError(phase, plain string) int {
	mark := "ERROR: failed to "
	if phase == phaseBuild {
		mark = "ERROR: failed to build: "
	}
	if strings.HasPrefix(plain, mark) {
		return 0
	}
	if at := buildError.FindStringIndex(plain); at != nil {
		return at[0]
	}
	return -1
}

// lifecycleNoise tells lines that the lifecycle writes between those of
// buildpacks, and that mean nothing to the pusher.
func lifecycleNoise(plain string) bool {
	return strings.HasPrefix(plain, "target distro name/version labels not found")
}

// mayBeOurs tells whether a line that begins so could be the lifecycle's mark
// of a phase, or of an error.
func mayBeOurs(piece string) bool {
	for _, mark := range []string{phaseMark, "ERROR: failed to "} {
		if strings.HasPrefix(piece, mark) || strings.HasPrefix(mark, piece) {
			return true
		}
	}
	return false
}
