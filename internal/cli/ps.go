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

const (
	// oneOffType is the process type of one-off dynos.
	oneOffType = "run"
	// upState is the state of a dyno that runs, idleState that of one that sleeps.
	upState   = "up"
	idleState = "idle"
)

func (c *cli) ps() *cobra.Command {
	cmd := &cobra.Command{
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
			if all, err = ofTypes(app, all, types); err != nil {
				return err
			}
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
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), true, c.typeNames(""))
}

// ofTypes are the dynos of some types, each of which must have one; all if no
// types are given.
func ofTypes(app string, all []wire.Dyno, types []string) ([]wire.Dyno, error) {
	if len(types) == 0 {
		return all, nil
	}
	for _, kind := range types {
		if !slices.ContainsFunc(all, func(d wire.Dyno) bool { return d.Type == kind }) {
			return nil, fmt.Errorf("no %s dynos on ⬢ %s: slipway ps lists those that there are", kind, app)
		}
	}
	return slices.DeleteFunc(all, func(d wire.Dyno) bool { return !slices.Contains(types, d.Type) }), nil
}

// byTypeAndNumber puts one-off dynos first, and web.10 behind web.9.
func byTypeAndNumber(a, b wire.Dyno) int {
	number := func(d wire.Dyno) int {
		n, _ := strconv.Atoi(d.Name[strings.LastIndexByte(d.Name, '.')+1:]) // 0 for a name without one
		return n
	}
	place := func(d wire.Dyno) int {
		if d.Type == oneOffType {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Type, b.Type), cmp.Compare(number(a), number(b)))
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
		c.printf("No dynos on %s\n", c.hex(app))
		return
	}
	for len(all) > 0 {
		first, n := all[0], 1
		for n < len(all) && all[n].Type == first.Type && (first.Type == oneOffType || all[n].Command == first.Command) {
			n++
		}
		if first.Type == oneOffType {
			c.header(fmt.Sprintf("%s: one-off processes (%d)", first.Type, n))
		} else {
			c.header(fmt.Sprintf("%s (%s): %s (%d)", first.Type, first.Size, first.Command, n))
		}
		for _, d := range all[:n] {
			c.printDyno(d)
		}
		c.printf("\n")
		all = all[n:]
	}
}

func (c *cli) printDyno(d wire.Dyno) {
	state := c.paint(yellow, d.State)
	if d.State == upState {
		state = c.paint(green, d.State)
	}
	if d.Type == oneOffType {
		c.printf("%s (%s): %s %s: %s\n", d.Name, d.Size, state, ago(d.UpdatedAt, time.Now()), d.Command)
		return
	}
	c.printf("%s: %s %s\n", d.Name, state, ago(d.UpdatedAt, time.Now()))
}

// ago writes a time, and how long it is past if that is less than about a day.
func ago(at, now time.Time) string {
	const lately = 25 * time.Hour
	text := at.Local().Format(timeLayout)
	switch d := max(now.Sub(at), 0); {
	case d < time.Minute:
		return fmt.Sprintf("%s (~ %ds ago)", text, int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%s (~ %dm ago)", text, int(d.Minutes()))
	case d < lately:
		return fmt.Sprintf("%s (~ %dh ago)", text, int(d.Hours()))
	default:
		return text
	}
}
