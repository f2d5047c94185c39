package workbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// WatchConfig says what to watch, and what to do. Run is required, and Paths.
type WatchConfig struct {
	// Paths are apps, buildpacks and builder.toml: directories with all below
	// them, or files.
	Paths []string
	// Run is called at first, and after changes, with the files that changed. Its
	// ctx ends when there are new changes. An error that is not about ctx ends the
	// watch. It is never called twice at once.
	Run func(ctx context.Context, changed []string) error
	// Settle is how long it must be quiet before Run; 100ms if zero.
	Settle time.Duration
	// Dirs is how many directories are watched at most; 8192 if zero.
	Dirs int
	// Notices is told of what cannot be watched; may be nil.
	Notices io.Writer
}

// maxChanged bounds the names that Run is given.
const maxChanged = 1000

// A script that writes into its app would run forever, as fast as it can. After
// maxSelf runs in a row that began by changes during a run, each next one waits
// twice as long, up to maxWait.
const (
	maxSelf = 3
	maxWait = 10 * time.Second
)

// Watch calls Run again whenever something below the paths changes, until ctx is
// done, and then returns nil. It notices new directories, and files that editors
// replace. The directories .git and node_modules are not watched.
func Watch(ctx context.Context, cfg WatchConfig) error {
	if cfg.Settle == 0 {
		cfg.Settle = 100 * time.Millisecond
	}
	if cfg.Dirs == 0 {
		cfg.Dirs = 8192
	}
	if cfg.Notices == nil {
		cfg.Notices = io.Discard
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch files: %w: run slipway detect again by hand after changes", err)
	}
	l := &watchLoop{cfg: cfg, tree: newWatchTree(w, cfg), done: make(chan error, 1), changed: make(map[string]bool)}
	err = l.tree.addAll(cfg.Paths)
	if err == nil {
		err = l.loop(ctx, w)
	}
	err = errors.Join(err, w.Close())
	for range w.Events { // closed when its goroutine has ended
	}
	return err
}

// A watchLoop collects changes and runs.
type watchLoop struct {
	cfg     WatchConfig
	tree    *watchTree
	changed map[string]bool
	self    int // runs in a row that began by changes during a run

	running bool
	over    time.Time // when the last run ended
	during  bool      // changes came while running
	cancel  context.CancelFunc
	done    chan error
}

func (l *watchLoop) loop(ctx context.Context, w *fsnotify.Watcher) error {
	settled := time.NewTimer(0) // the first run is at once
	defer settled.Stop()
	defer l.stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-w.Events:
			if !ok {
				return errors.New("watch files: the system tells of no more changes: start again")
			}
			if l.note(event) {
				settled.Reset(l.quiet())
			}
		case err := <-w.Errors:
			if l.overflow(err) {
				settled.Reset(l.quiet())
			}
		case <-settled.C:
			if l.running {
				l.cancel() // its end starts the next
			} else {
				l.start(ctx)
			}
		case err := <-l.done:
			if err = l.ended(err); err != nil {
				return err
			}
			if len(l.changed) > 0 {
				settled.Reset(l.quiet())
			}
		}
	}
}

// quiet is how long to wait for more changes.
func (l *watchLoop) quiet() time.Duration {
	if l.running || !l.during || l.self <= maxSelf {
		return l.cfg.Settle
	}
	return min(l.cfg.Settle<<min(l.self-maxSelf, 20), maxWait)
}

// note takes an event as a change, or as none.
func (l *watchLoop) note(event fsnotify.Event) bool {
	if !l.tree.concerns(event) {
		return false
	}
	return l.change(event.Name)
}

func (l *watchLoop) change(name string) bool {
	// What a run changed may be told of a moment after its end.
	running := l.running || time.Since(l.over) < l.cfg.Settle
	if running && !l.during && l.self == maxSelf {
		fmt.Fprintf(l.cfg.Notices, "%q changes again and again while detection runs: a buildpack may write into the app. Detection runs less often.\n", name)
	}
	l.during = l.during || running
	if len(l.changed) < maxChanged {
		l.changed[name] = true
	}
	return true
}

// overflow looks at all directories again where events were lost.
func (l *watchLoop) overflow(err error) bool {
	if err == nil {
		return false
	}
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		fmt.Fprintf(l.cfg.Notices, "Watching goes on with an error: %v\n", err)
		return false
	}
	if err := l.tree.addAll(l.cfg.Paths); err != nil {
		fmt.Fprintf(l.cfg.Notices, "Watching goes on with an error: %v\n", err)
	}
	return l.change(l.cfg.Paths[0])
}

func (l *watchLoop) start(ctx context.Context) {
	if l.during {
		l.self++
	} else {
		l.self = 0
	}
	changed := slices.Sorted(maps.Keys(l.changed))
	clear(l.changed)
	l.running, l.during = true, false
	ctx, l.cancel = context.WithCancel(ctx)
	go func() { l.done <- l.cfg.Run(ctx, changed) }()
}

func (l *watchLoop) ended(err error) error {
	l.running, l.over = false, time.Now()
	l.cancel()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// stop ends a run and waits for it.
func (l *watchLoop) stop() {
	if l.running {
		l.cancel()
		_ = l.ended(<-l.done) // it was told to end
	}
}
