package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) psRestart() *cobra.Command {
	return c.withApp(&cobra.Command{
		Use:     "ps:restart [DYNO|TYPE]",
		Aliases: []string{"restart", "dyno:restart"},
		Short:   "Start dynos again (all by default)",
		Example: "  slipway ps:restart -a hello\n  slipway ps:restart web.1 -a hello\n  slipway ps:restart worker -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			which := strings.Join(name, "")
			return c.doing("Restarting "+dynosText(which)+" on ⬢ "+app, func() (string, error) {
				return "", c.client().Restart(cmd.Context(), app, which)
			})
		},
	})
}

func (c *cli) psStop() *cobra.Command {
	return c.withApp(&cobra.Command{
		Use:     "ps:stop DYNO|TYPE",
		Aliases: []string{"ps:kill", "dyno:stop", "dyno:kill"},
		Short:   "Stop a one-off dyno, or others until they are started again",
		Example: "  slipway ps:stop run.1234 -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			return c.doing("Stopping "+dynosText(name[0])+" on ⬢ "+app, func() (string, error) {
				return "", c.client().Stop(cmd.Context(), app, name[0])
			})
		},
	})
}

// dynosText names one dyno, those of a type, or all.
func dynosText(name string) string {
	switch {
	case name == "":
		return "dynos"
	case strings.Contains(name, "."):
		return name + " dyno"
	default:
		return name + " dynos"
	}
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
				err = c.doing("Setting the idle timeout of ⬢ "+name+" to "+timeout[0], func() (string, error) {
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
