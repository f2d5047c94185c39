package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// A waiting is what ps:wait waits for.
type waiting struct {
	kind    string // a process type; all if empty
	withRun bool   // one-off dynos too
	every   int    // seconds between two looks
}

func (c *cli) psWait() *cobra.Command {
	var w waiting
	cmd := &cobra.Command{
		Use:     "ps:wait",
		Short:   "Wait until all dynos run the newest release",
		Example: "  slipway ps:wait -a hello\n  slipway ps:wait --type web -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if w.every < 1 {
				return usageError{fmt.Errorf("--wait-interval %d: it is 1 second at least", w.every)}
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			newest, err := c.client().Releases(cmd.Context(), app, 1)
			if err != nil {
				return err
			}
			if len(newest) == 0 {
				c.note("⬢ %s has no releases: git push makes the first.", app)
				return nil
			}
			all, err := c.waitFor(cmd.Context(), app, newest[0].Version, w)
			if err == nil && c.json {
				return c.printJSON(all)
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&w.kind, "type", "t", "", "only the dynos of this process type")
	flags.IntVarP(&w.every, "wait-interval", "w", 1, "seconds between two looks")
	flags.BoolVarP(&w.withRun, "with-run", "R", false, "one-off dynos too")
	exclusive(cmd, "type", "with-run")
	c.completeFlag(cmd, "type", c.typeNames(""))
	return c.withJSON(c.withApp(cmd))
}

// waitFor looks at an app's dynos again and again until all run a version, which
// it says if they don't at the first look.
func (c *cli) waitFor(ctx context.Context, app string, version int, w waiting) ([]wire.Dyno, error) {
	all, on, err := c.onVersion(ctx, app, version, w)
	if err != nil || on == len(all) {
		return all, err
	}
	err = c.doing(fmt.Sprintf("Waiting for every dyno to be running v%d", version), func() (string, error) {
		tick := time.NewTicker(time.Duration(w.every) * time.Second)
		defer tick.Stop()
		for on < len(all) {
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("stopped with %d of %d dynos on v%d: %w", on, len(all), version, ctx.Err())
			case <-tick.C:
			}
			if all, on, err = c.onVersion(ctx, app, version, w); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf(", %d / %d", on, len(all)), nil
	})
	return all, err
}

// onVersion lists the dynos that are waited for, and counts those of them that
// run the version, or a newer one. What sleeps wakes as the newest.
func (c *cli) onVersion(ctx context.Context, app string, version int, w waiting) (all []wire.Dyno, on int, err error) {
	all, err = c.client().Dynos(ctx, app)
	all = slices.DeleteFunc(all, func(d wire.Dyno) bool {
		return d.Type == wire.ReleaseType || (d.Type == oneOffType && !w.withRun) || (w.kind != "" && d.Type != w.kind)
	})
	for _, d := range all {
		if d.State == idleState || (d.State == upState && d.Release.Version >= version) {
			on++
		}
	}
	return all, on, err
}
