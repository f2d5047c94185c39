package workbench

import (
	"context"
	"io/fs"
	"os"
	"runtime"

	"slipway/buildpacks/detector"
)

// A Detector answers for a tree of files. It may be used by many goroutines at
// once.
type Detector interface {
	// Detect answers for a directory.
	Detect(ctx context.Context, dir string, o detector.Options) (*detector.Report, error)
	// InProcess tells whether DetectFS can be used.
	InProcess() bool
	// DetectFS answers for a tree that lies on no disk.
	DetectFS(ctx context.Context, fsys fs.FS, o detector.Options) (*detector.Report, error)
}

var _ Detector = (*detector.Builder)(nil)

// Config says how directories are detected. Only Detector is required.
type Config struct {
	Detector Detector
	Options  detector.Options
	WhatIf   *WhatIf // what is changed in each directory first; may be nil
	Jobs     int     // directories at once; the number of CPUs if zero
}

// A Result is the report on a directory, or why there is none.
type Result struct {
	Dir    string
	Report *detector.Report
	Err    error
}

// Run detects in each of the directories, several at once, and calls each with
// their results one by one, in the order of dirs. It ends early when each returns
// an error, which it returns, or when ctx is done. A directory that cannot be read
// is a result with an Err.
func Run(ctx context.Context, cfg Config, dirs []string, each func(Result) error) error {
	o := shared(cfg.Options, len(dirs))
	return inOrder(ctx, len(dirs), cfg.Jobs, func(ctx context.Context, i int) Result {
		r, err := cfg.WhatIf.detect(ctx, cfg.Detector, dirs[i], o)
		return Result{Dir: dirs[i], Report: r, Err: err}
	}, each)
}

// shared bounds the scripts that one directory runs at once where there are many
// directories, which are detected at once themselves.
func shared(o detector.Options, dirs int) detector.Options {
	if o.Jobs == 0 && dirs > 1 {
		o.Jobs = 2
	}
	return o
}

// jobsOr is jobs, or the number of CPUs.
func jobsOr(jobs int) int {
	if jobs > 0 {
		return jobs
	}
	return runtime.GOMAXPROCS(0)
}

// fsOf is the tree below a directory.
func fsOf(dir string) (fs.FS, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "read directory", Path: dir, Err: errNoDirectory}
	}
	return os.DirFS(dir), nil
}
