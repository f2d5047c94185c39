package sandbox

import "time"

// AppDir is where a program in a sandbox finds the app, and is started.
const AppDir = "/workspace"

// A Command is a program and what it is given. Paths of Args, Env and Collect
// are as the program sees them.
type Command struct {
	App     string // directory on this machine
	Mounts  []Mount
	Args    []string // the program and its arguments
	Env     []string
	Collect string // a file that the program may write, made empty; may be ""
	Limits  Limits
}

// A Mount is a directory of this machine that a sandbox shows, read-only.
type Mount struct{ Source, Target string }

// Limits bound a program with all that it starts. The zero value of each is none,
// but for output and the collected file.
type Limits struct {
	Timeout time.Duration
	Memory  int64
	Pids    int
	Output  int   // bytes that are kept: the first half, and the last
	Collect int64 // bytes of the collected file
}

// An Outcome is what became of a program.
type Outcome struct {
	ExitCode int // -1 where it did not exit by itself
	Signal   int // that ended it; 0 if it exited
	StartErr string
	TimedOut bool
	Took     time.Duration // from its first instruction to its end
	// OutOfMemory is known where there are cgroups.
	OutOfMemory bool

	Output  []byte // both streams
	Dropped int64  // bytes that were not kept

	Collected  []byte
	CollectErr string // why the file could not be read; a limit, say

	// What was seen. Wrote and Files are names below the app.
	Wrote       []string
	Files       []string // regular files that were opened
	FilesSeen   bool     // Files can be relied on
	Network     bool     // it looked for a way out; one over IPv6 without a name is not seen
	LeftRunning bool     // processes were there when it had ended
}

// Support is what this machine allows.
type Support struct {
	// Isolated tells that programs see nothing but what they are given.
	Isolated bool
	// Watched tells that what they write to the app is seen.
	Watched bool
	// Missing are the parts that are not there, each with the reason.
	Missing []string
}

// fileSize is how long a file may become that a program writes, and scratch how
// much all it writes may take.
const (
	fileSize = 64 << 20
	scratch  = 128 << 20
	inodes   = 32 << 10
)
