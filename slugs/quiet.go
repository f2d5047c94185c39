package slugs

import (
	"io"

	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
)

// quietLibrary sends what Distribution says through logrus's global logger (it
// takes no other) to ours at debug level. It calls a missing blob an error,
// which is how every push begins.
func quietLibrary(log *zap.Logger) {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.WarnLevel)
	hooks := logrus.LevelHooks{}
	hooks.Add(libraryHook{log})
	logrus.StandardLogger().ReplaceHooks(hooks)
}

type libraryHook struct{ log *zap.Logger }

func (libraryHook) Levels() []logrus.Level {
	return []logrus.Level{logrus.WarnLevel, logrus.ErrorLevel}
}

// Fire passes the message on without its fields, which can hold headers.
func (h libraryHook) Fire(e *logrus.Entry) error {
	h.log.Debug("registry library", zap.String("message", e.Message))
	return nil
}
