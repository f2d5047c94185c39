package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// lookedBack is how many releases are looked at for one to go back to.
const lookedBack = 50

func (c *cli) rollback() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rollback [VERSION]",
		Aliases: []string{"releases:rollback"},
		Short:   "Release an old release again (the one before the current by default)",
		Example: "  slipway rollback -a hello\n  slipway rollback v3 -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, version []string) error {
			ctx := cmd.Context()
			app, err := c.appName(ctx)
			if err != nil {
				return err
			}
			all, err := c.client().Releases(ctx, app, lookedBack)
			if err != nil {
				return err
			}
			to, err := rollbackTarget(app, all, version)
			if err != nil {
				return err
			}
			var rel wire.Release
			err = c.doing(fmt.Sprintf("Rolling back %s to %s", c.hex(app), c.paint(green, fmt.Sprintf("v%d", to))), func() (string, error) {
				rel, err = c.client().Rollback(ctx, app, to)
				return fmt.Sprintf(", v%d", rel.Version), err
			})
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(rel)
			}
			c.note("Rollback affects code and config vars; it does not change databases.")
			c.note("To undo, run: slipway rollback v%d%s", all[0].Version, c.appFlag())
			return nil
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.releaseNames())
}

// rollbackTarget is the release that is named, or the newest that has a slug and
// is not the current one.
func rollbackTarget(app string, all []wire.Release, version []string) (int, error) {
	if len(version) > 0 {
		return parseVersion(version[0])
	}
	for i, rel := range all {
		if i > 0 && rel.Eligible {
			return rel.Version, nil
		}
	}
	return 0, fmt.Errorf("⬢ %s has no release to go back to: git push makes one", app)
}

// appFlag is how the app was named, for commands that are shown.
func (c *cli) appFlag() string {
	switch {
	case c.app != "":
		return " -a " + c.app
	case c.remote != "":
		return " -r " + c.remote
	default:
		return ""
	}
}
