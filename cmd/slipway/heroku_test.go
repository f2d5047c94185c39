package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"slipway/internal/ca"
	"slipway/internal/testkit"
	"slipway/internal/testkit/herokucli"
)

// herokuVars are the variables of scripts that use Heroku's own command line. Who
// they sign in as is up to them.
func herokuVars(t *testing.T, srv *testkit.Server) map[string]string {
	t.Helper()
	cli := herokucli.Find(t)
	vars := cli.Env("http://"+srv.HTTP, "", "")
	vars["NODE_EXTRA_CA_CERTS"] = filepath.Join(srv.Data, "ca", ca.File)
	delete(vars, "HOME") // that of the script
	delete(vars, "XDG_CONFIG_HOME")
	return vars
}

// answerTimeout bounds a command that asks questions.
const answerTimeout = time.Minute

// answerQuestions QUESTION ANSWER… -- COMMAND… runs a command and gives each answer as
// soon as its question is in the output. The command sees the variables too.
func answerQuestions(ts *testscript.TestScript, args, variables []string) {
	var answers, command []string
	for i, arg := range args {
		if arg == "--" {
			answers, command = args[:i], args[i+1:]
			break
		}
	}
	if len(command) == 0 || len(answers)%2 != 0 {
		ts.Fatalf("usage: answer QUESTION ANSWER... -- COMMAND...")
	}
	cmd := exec.Command("env", command...) //nolint:noctx // the timer ends it; env looks in the script's $PATH
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environ(ts)
	for _, name := range variables {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	in, err := cmd.StdinPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	cmd.Stderr = cmd.Stdout
	ts.Check(cmd.Start())
	late := time.AfterFunc(answerTimeout, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	var said strings.Builder
	part := make([]byte, 4096)
	for err == nil {
		var n int
		n, err = out.Read(part)
		said.Write(part[:n])
		if len(answers) > 0 && strings.Contains(said.String(), answers[0]) {
			_, failed := io.WriteString(in, answers[1]+"\n")
			ts.Check(failed)
			answers = answers[2:]
		}
	}
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said.String())
	}
	ts.Logf("%s", said.String())
}
