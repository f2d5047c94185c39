package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// watching detects again at each change, until ctx ends.
func (d *detecting) watching(ctx context.Context) error {
	return workbench.Watch(ctx, workbench.WatchConfig{
		Paths: d.watched(), Notices: d.Stderr,
		Run: func(ctx context.Context, changed []string) error {
			d.announce(changed)
			_, err := d.once(ctx)
			if err == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			// A buildpack that is being written is often broken: it is told, and the
			// next change tried.
			d.printf("%s\n", d.paint(red, " !     "+detector.Visible(err.Error())))
			return nil
		},
	})
}

// watched are the files and directories of this machine that what is shown
// depends on.
func (d *detecting) watched() []string {
	paths := slices.Concat(d.dirs, d.envFiles)
	if d.test != "" {
		paths = append(paths, d.test)
	}
	for _, name := range slices.Concat(d.buildpacks, []string{d.builder, d.compare.first, d.second}) {
		if name == "" {
			continue
		}
		if _, err := os.Stat(name); err == nil { // else it is an image
			paths = append(paths, name)
		}
	}
	for _, with := range d.with {
		if _, path, found := strings.Cut(with, "=@"); found && !strings.HasPrefix(path, "@") {
			paths = append(paths, path)
		}
	}
	return paths
}

// announce clears a terminal, and says what changed.
func (d *detecting) announce(changed []string) {
	if d.json {
		return
	}
	if term.IsTerminal(descriptor(d.Stdout)) && d.Term != "dumb" {
		d.printf("\x1b[H\x1b[2J\x1b[3J")
	}
	if len(changed) == 0 {
		return
	}
	const most = 3
	text := strings.Join(changed[:min(most, len(changed))], ", ")
	if len(changed) > most {
		text += ", …"
	}
	d.note("changed: %s", detector.Visible(text))
}
