package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// A target is which dynos a verb is for: one, those of a type, or all.
type target struct{ dyno, kind string }

// withTarget lets the dynos be named as Heroku does.
func (c *cli) withTarget(cmd *cobra.Command, t *target) *cobra.Command {
	cmd.Flags().StringVarP(&t.dyno, "dyno-name", "d", "", "one dyno, web.1 say")
	cmd.Flags().StringVarP(&t.kind, "process-type", "p", "", "all dynos of a process type, web say")
	exclusive(cmd, "dyno-name", "process-type")
	c.completeFlag(cmd, "process-type", c.typeNames(""))
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.dynoNames())
}

// read takes a name that stands alone into account: that of a dyno has a number.
func (t target) read(given []string) (target, error) {
	if len(given) == 0 {
		return t, nil
	}
	if t != (target{}) {
		return t, usageError{fmt.Errorf("%q and a flag both say which dynos: give one", given[0])}
	}
	if strings.Contains(given[0], ".") {
		return target{dyno: given[0]}, nil
	}
	return target{kind: given[0]}, nil
}

func (c *cli) targetText(t target) string {
	switch {
	case t.kind != "":
		return "all " + c.paint(cyan, t.kind) + " dynos"
	case t.dyno != "":
		return "dyno " + c.paint(cyan, t.dyno)
	default:
		return "all dynos"
	}
}

// printTarget prints the dynos that something was done to, for --json.
func (c *cli) printTarget(cmd *cobra.Command, app string, t target) error {
	all, err := c.client().Dynos(cmd.Context(), app)
	if err != nil {
		return err
	}
	return c.printJSON(slices.DeleteFunc(all, func(d wire.Dyno) bool {
		return (t.dyno != "" && d.Name != t.dyno) || (t.kind != "" && d.Type != t.kind)
	}))
}

func (c *cli) psRestart() *cobra.Command {
	var t target
	return c.withTarget(&cobra.Command{
		Use:     "ps:restart [DYNO|TYPE]",
		Aliases: []string{"restart", "dyno:restart"},
		Short:   "Start dynos again (all by default)",
		Example: "  slipway ps:restart -a hello\n  slipway ps:restart --dyno-name web.1 -a hello\n  slipway ps:restart --process-type worker -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			which, err := t.read(given)
			if err != nil {
				return err
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			err = c.doing("Restarting "+c.targetText(which)+" on "+c.hex(app), func() (string, error) {
				if which.kind != "" {
					return "", c.client().RestartType(cmd.Context(), app, which.kind)
				}
				return "", c.client().Restart(cmd.Context(), app, which.dyno)
			})
			if err == nil && c.json {
				return c.printTarget(cmd, app, which)
			}
			return err
		},
	}, &t)
}

func (c *cli) psStop() *cobra.Command {
	var t target
	return c.withTarget(&cobra.Command{
		Use:     "ps:stop [DYNO|TYPE]",
		Aliases: []string{"stop", "kill", "ps:kill", "dyno:stop", "dyno:kill"},
		Short:   "Stop a one-off dyno, or others until they are started again",
		Example: "  slipway ps:stop --dyno-name run.1234 -a hello\n  slipway ps:stop --process-type run -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			which, err := t.read(given)
			if err != nil {
				return err
			}
			if which == (target{}) {
				return usageError{errors.New("which dynos? give --dyno-name web.1 or --process-type web")}
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			err = c.doing("Stopping "+c.targetText(which)+" on "+c.hex(app), func() (string, error) {
				if which.kind != "" {
					return "", c.client().StopType(cmd.Context(), app, which.kind)
				}
				return "", c.client().Stop(cmd.Context(), app, which.dyno)
			})
			if err == nil && c.json {
				return c.printTarget(cmd, app, which)
			}
			return err
		},
	}, &t)
}

func (c *cli) psIdle() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "ps:idle [TIME|never|default]",
		Short:   "Say after how long without a request an app sleeps, or show it",
		Example: "  slipway ps:idle -a hello\n  slipway ps:idle 30m -a hello\n  slipway ps:idle never -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, timeout []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			var app wire.App
			if len(timeout) > 0 {
				err = c.doing("Setting the idle timeout of "+c.hex(name)+" to "+timeout[0], func() (string, error) {
					app, err = c.client().UpdateApp(cmd.Context(), name, wire.AppUpdate{IdleTimeout: &timeout[0]})
					return "", err
				})
			} else if app, err = c.client().App(cmd.Context(), name); err == nil && !c.json {
				c.printf("%s\n", app.IdleTimeout)
			}
			if err == nil && c.json {
				return c.printJSON(app)
			}
			return err
		},
	}))
}
