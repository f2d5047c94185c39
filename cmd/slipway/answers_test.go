package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/internal/testkit/herokuschema"
)

// What a watched server writes into its log.
const (
	wrongAnswer    = "an answer breaks Heroku's schema"
	answersChecked = "answers checked"
)

// runWatched is the command, whose server checks each answer of its API against
// Heroku's schema.
func runWatched() int {
	watch := herokuschema.Watch(func(err error) { logEntry(wrongAnswer, map[string]any{"error": err.Error()}) })
	watchAPI = watch.Handler
	code := run()
	if n := watch.Checked(); n > 0 {
		logEntry(answersChecked, map[string]any{"n": n})
	}
	return code
}

// logEntry writes a line as the server does with --log-format json.
func logEntry(msg string, fields map[string]any) {
	fields["msg"] = msg
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err) // they are text and numbers
	}
	fmt.Fprintf(os.Stderr, "%s\n", line)
}

// The servers that tests ran, and the answers of theirs that were checked.
var serversRun, answersSeen atomic.Int64

// checkAnswers fails the test for each answer in a server's log that was wrong.
func checkAnswers(t *testing.T, log string) {
	t.Helper()
	serversRun.Add(1)
	for line := range strings.Lines(log) {
		var entry struct {
			Msg, Error string
			N          int64
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		switch entry.Msg {
		case wrongAnswer:
			t.Errorf("%s: %s", wrongAnswer, entry.Error)
		case answersChecked:
			answersSeen.Add(entry.N)
		}
	}
}

// answers runs the tests, and fails if servers ran and not one answer of theirs
// was checked.
type answers struct{ tests interface{ Run() int } }

func (a answers) Run() int {
	code := a.tests.Run()
	if serversRun.Load() > 0 && answersSeen.Load() == 0 {
		fmt.Fprintln(os.Stderr, "not one answer of the API was checked against Heroku's schema")
		return max(code, 1)
	}
	return code
}
