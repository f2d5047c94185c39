package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDetect runs the scripts of those who write buildpacks. They need no server,
// and no builder but the one in the program.
func TestDetect(t *testing.T) {
	path := ""
	if race { // it would watch one process after the other, most of them no longer than a start
		path = filepath.Dir(buildProgram(t)) + string(os.PathListSeparator)
	}
	testscript.Run(t, testscript.Params{
		Dir: scripts(t, "detect"), RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", path+env.Getenv("PATH"))
			return setHome(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode, "until": until},
	})
}
