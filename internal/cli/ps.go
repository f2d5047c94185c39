package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// oneOffType is the process type of one-off dynos.
const oneOffType = "run"

func (c *cli) ps() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "ps [TYPE...]",
		Short:   "List an app's dynos",
		Example: "  slipway ps -a hello\n  slipway ps web -a hello --json",
		RunE: func(cmd *cobra.Command, types []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Dynos(cmd.Context(), app)
			if err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(d wire.Dyno) bool { return len(types) > 0 && !slices.Contains(types, d.Type) })
			slices.SortStableFunc(all, byTypeAndNumber)
			if c.json {
				return c.printJSON(all)
			}
			quota, err := c.client().Quota(cmd.Context(), app)
			if err != nil {
				return err
			}
			c.printQuota(quota)
			c.printDynos(app, all)
			return nil
		},
	}))
}

// byTypeAndNumber puts one-off dynos last, and web.10 behind web.9.
func byTypeAndNumber(a, b wire.Dyno) int {
	number := func(d wire.Dyno) int {
		n, _ := strconv.Atoi(d.Name[strings.LastIndexByte(d.Name, '.')+1:]) // 0 for a name without one
		return n
	}
	last := func(d wire.Dyno) int {
		if d.Type == oneOffType {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(a.Type, b.Type), cmp.Compare(number(a), number(b)))
}

func (c *cli) printQuota(q wire.Quota) {
	used := time.Duration(q.App) * time.Second
	if q.Quota <= 0 {
		c.printf("Dyno hours used by this app this month: %s (no quota)\n\n", hours(used))
		return
	}
	rest := max(q.Quota-q.Used, 0)
	c.printf("Free dyno hours quota remaining this month: %s (%d%%)\n", hours(time.Duration(rest)*time.Second), rest*100/q.Quota)
	c.printf("Free dyno usage for this app: %s (%d%%)\n", hours(used), q.App*100/q.Quota)
	c.printf("For more information on dyno sleeping, see: slipway ps:idle --help\n\n")
}

// hours writes a time as Heroku does: 550h 0m.
func hours(d time.Duration) string {
	return fmt.Sprintf("%dh %dm", int(d.Hours()), int(d.Minutes())%60)
}

func (c *cli) printDynos(app string, all []wire.Dyno) {
	if len(all) == 0 {
		c.printf("No dynos on ⬢ %s\n", app)
		return
	}
	for len(all) > 0 {
		kind := all[0].Type
		n := 1
		for n < len(all) && all[n].Type == kind {
			n++
		}
		what := all[0].Command
		if kind == oneOffType {
			what = "one-off processes"
		}
		c.printf("=== %s: %s (%d)\n\n", kind, what, n)
		for _, d := range all[:n] {
			c.printf("%s: %s %s (~ %s ago)", d.Name, d.State, d.UpdatedAt.Local().Format(timeLayout), ago(time.Since(d.UpdatedAt)))
			if kind == oneOffType {
				c.printf(": %s", d.Command)
			}
			c.printf("\n")
		}
		c.printf("\n")
		all = all[n:]
	}
}

// ago writes how long something is past, in one unit.
func ago(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d <= time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < day:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}
