package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

const whatBuildpacks = `A buildpack is named by its id, if the builder has it (slipway/nodejs, or
heroku/nodejs for the same), by a folder of the app (./my-buildpack), or by the
address of an archive (https://example.com/buildpack.tgz) or of an image
(docker://example.com/buildpack), if the server allows it (--allowed-builder).`

func (c *cli) buildpacksOf() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "buildpacks",
		Short:   "List the buildpacks that an app is set to use, or that its last build chose",
		Example: "  slipway buildpacks -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, all, err := c.listBuildpacks(cmd.Context())
			switch {
			case err != nil:
				return err
			case c.json:
				return c.printJSON(all)
			case len(all) == 0:
				c.printf("%s has no Buildpacks.\n", c.hex(app))
				return nil
			case len(all) == 1:
				c.header("⬢ " + app + " Buildpack")
			default:
				c.header("⬢ " + app + " Buildpacks")
			}
			c.printBuildpacks(all, "")
			return nil
		},
	}))
}

func (c *cli) listBuildpacks(ctx context.Context) (app string, all []wire.BuildpackInstallation, err error) {
	if app, err = c.appName(ctx); err != nil {
		return "", nil, err
	}
	all, err = c.client().Buildpacks(ctx, app)
	return app, all, err
}

func (c *cli) printBuildpacks(all []wire.BuildpackInstallation, indent string) {
	if len(all) == 1 {
		c.printf("%s\n", all[0].Buildpack.Name)
		return
	}
	for i, b := range all {
		c.printf("%s%d. %s\n", indent, i+1, b.Buildpack.Name)
	}
}

// names are those of buildpacks, in their order.
func names(all []wire.BuildpackInstallation) []string {
	list := make([]string, 0, len(all))
	for _, b := range all {
		list = append(list, b.Buildpack.Name)
	}
	return list
}

func (c *cli) buildpacksSet() *cobra.Command {
	return c.changeBuildpacks(&cobra.Command{
		Use:   "buildpacks:set BUILDPACK",
		Short: "Set the buildpack of an app",
		Long: `Set the buildpack of an app, the first one or that at --index, in the place of
which it comes. The next push is built with it.

` + whatBuildpacks,
		Example: "  slipway buildpacks:set slipway/python -a hello\n  slipway buildpacks:set ./my-buildpack --index 2",
		Args:    args(cobra.ExactArgs(1)),
	}, "set", func(have []string, name string, index int) ([]string, error) {
		at := min(max(index, 1), len(have)+1) - 1
		if i := slices.Index(have, name); i >= 0 && i != at {
			return nil, fmt.Errorf("the buildpack %s is already set on your app: slipway buildpacks:remove %s takes it away", name, shellQuote(name))
		}
		if at == len(have) {
			return append(have, name), nil
		}
		have[at] = name
		return have, nil
	})
}

func (c *cli) buildpacksAdd() *cobra.Command {
	return c.changeBuildpacks(&cobra.Command{
		Use:   "buildpacks:add BUILDPACK",
		Short: "Add a buildpack to those of an app",
		Long: `Add a buildpack to those of an app, behind them or at --index. All of them have to
take the app, and build it in their order. The next push is built with them.

` + whatBuildpacks,
		Example: "  slipway buildpacks:add slipway/nodejs --index 1 -a hello",
		Args:    args(cobra.ExactArgs(1)),
	}, "added", func(have []string, name string, index int) ([]string, error) {
		if slices.Contains(have, name) {
			return nil, fmt.Errorf("the buildpack %s is already set on your app: slipway buildpacks:remove %s takes it away", name, shellQuote(name))
		}
		at := min(cmp.Or(index, len(have)+1), len(have)+1) - 1
		return slices.Insert(have, at, name), nil
	})
}

func (c *cli) buildpacksRemove() *cobra.Command {
	return c.completeArgs(c.changeBuildpacks(&cobra.Command{
		Use:     "buildpacks:remove [BUILDPACK]",
		Short:   "Take a buildpack away from those of an app, by its name or its --index",
		Example: "  slipway buildpacks:remove slipway/nodejs -a hello\n  slipway buildpacks:remove --index 1",
		Args:    args(cobra.MaximumNArgs(1)),
	}, "removed", func(have []string, name string, index int) ([]string, error) {
		switch {
		case name != "" && index != 0:
			return nil, usageError{errors.New("choose either --index or a buildpack, but not both")}
		case name == "" && index == 0:
			return nil, usageError{errors.New("which buildpack? give its name or its --index: slipway buildpacks lists them")}
		case len(have) == 0:
			return nil, errors.New("no buildpacks were found: the next release will detect buildpacks normally")
		case index > len(have):
			return nil, usageError{fmt.Errorf("--index %d: there are only %d buildpacks, as slipway buildpacks shows", index, len(have))}
		}
		at := index - 1
		if name != "" {
			at = slices.Index(have, name)
		}
		if at < 0 {
			return nil, fmt.Errorf("buildpack not found, nothing was removed: slipway buildpacks lists those that there are")
		}
		return slices.Delete(have, at, at+1), nil
	}), false, func(ctx context.Context) ([]string, error) {
		_, all, err := c.listBuildpacks(ctx)
		return names(all), err
	})
}

func (c *cli) buildpacksClear() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "buildpacks:clear",
		Short:   "Let an app's files decide which buildpacks build it",
		Example: "  slipway buildpacks:clear -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().SetBuildpacks(cmd.Context(), app, nil)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			c.printf("Buildpacks cleared. Next release on %s will detect buildpacks normally.\n", c.hex(app))
			return nil
		},
	}))
}

// A listChange makes another list of names of one; index is 0 if none was given.
type listChange func(have []string, name string, index int) ([]string, error)

// changeBuildpacks makes a verb of a change of what an app has.
func (c *cli) changeBuildpacks(cmd *cobra.Command, done string, do listChange) *cobra.Command {
	index := 0
	cmd.Flags().IntVarP(&index, "index", "i", 0, "the place among the app's buildpacks, from 1")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if cmd.Flags().Changed("index") && index < 1 {
			return usageError{fmt.Errorf("--index %d: places are counted from 1", index)}
		}
		app, all, err := c.listBuildpacks(cmd.Context())
		if err != nil {
			return err
		}
		want, err := do(names(all), cmp.Or(append(given, "")...), index)
		if err != nil {
			return err
		}
		if all, err = c.client().SetBuildpacks(cmd.Context(), app, want); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(all)
		}
		c.printChange(app, done, all)
		return nil
	}
	return c.withJSON(c.withApp(cmd))
}

// printChange says what the next release will use, in Heroku's words.
func (c *cli) printChange(app, done string, all []wire.BuildpackInstallation) {
	push := "git push " + cmp.Or(c.remote, remoteName) + " main"
	switch len(all) {
	case 0:
		c.printf("Buildpack %s. Next release on %s will detect buildpacks normally.\n", done, c.hex(app))
	case 1:
		c.printf("Buildpack %s. Next release on %s will use %s.\n", done, c.hex(app), all[0].Buildpack.Name)
		c.printf("Run %s to create a new release using this buildpack.\n", c.paint(cyan, push))
	default:
		c.printf("Buildpack %s. Next release on %s will use:\n", done, c.hex(app))
		c.printBuildpacks(all, "  ")
		c.printf("Run %s to create a new release using these buildpacks.\n", c.paint(cyan, push))
	}
}
