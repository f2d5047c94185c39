package build

import (
	"fmt"
	"io"

	"github.com/buildpacks/pack/pkg/logging"
)

// packLogger gives pack's own words to the transcript. The lifecycle's output
// does not come this way: the session takes it from the containers itself.
type packLogger struct{ t *transcript }

var _ logging.Logger = packLogger{}

func (l packLogger) Debug(msg string)          { l.t.debug(msg) }
func (l packLogger) Debugf(f string, v ...any) { l.t.debug(fmt.Sprintf(f, v...)) }
func (l packLogger) Info(msg string)           { l.t.debug(msg) }
func (l packLogger) Infof(f string, v ...any)  { l.t.debug(fmt.Sprintf(f, v...)) }
func (l packLogger) Warn(msg string)           { l.t.debug(msg) }
func (l packLogger) Warnf(f string, v ...any)  { l.t.debug(fmt.Sprintf(f, v...)) }
func (l packLogger) Error(msg string)          { l.t.debug(msg) }
func (l packLogger) Errorf(f string, v ...any) { l.t.debug(fmt.Sprintf(f, v...)) }
func (l packLogger) IsVerbose() bool           { return l.t.trace }
func (l packLogger) Writer() io.Writer         { return traceWriter(l) }

type traceWriter struct{ t *transcript }

func (w traceWriter) Write(p []byte) (int, error) {
	w.t.debug(string(p))
	return len(p), nil
}
