package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) buildVerbs() []*cobra.Command {
	return []*cobra.Command{c.builds(), c.buildsInfo(), c.buildsOutput(), c.buildsCancel(), c.buildsCreate(), c.buildsPurge()}
}

func (c *cli) builds() *cobra.Command {
	num := newest
	cmd := &cobra.Command{
		Use:     "builds",
		Short:   "List an app's builds, newest first",
		Example: "  slipway builds -a hello\n  slipway builds -a hello -n 50 --json",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if num < 1 {
				return usageError{fmt.Errorf("%d is no number of builds: write 1 or more", num)}
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Builds(cmd.Context(), app, num)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			c.printBuilds(app, all)
			return nil
		},
	}
	cmd.Flags().IntVarP(&num, "num", "n", newest, "how many")
	return c.withJSON(c.withApp(cmd))
}

func (c *cli) printBuilds(app string, all []wire.Build) {
	if len(all) == 0 {
		c.printf("%s has no builds. git push makes the first.\n", c.hex(app))
		return
	}
	c.header("⬢ " + app + " Builds")
	rows := make([][]string, len(all))
	for i, b := range all {
		rows[i] = []string{b.ID, b.Status, shortVersion(b), b.User.Email, b.CreatedAt.Local().Format(timeLayout)}
	}
	c.table(nil, rows)
}

// versionOf is what a build was made of, as its owner calls it; "" if they do not.
func versionOf(b wire.Build) string {
	if b.SourceBlob.Version == nil {
		return ""
	}
	return *b.SourceBlob.Version
}

// commitLength is that of a commit's hash, in hex.
const commitLength = 40

// shortVersion cuts a commit as git does, and other versions for a table.
func shortVersion(b wire.Build) string {
	version := versionOf(b)
	if len(version) == commitLength && strings.Trim(version, "0123456789abcdef") == "" {
		return version[:8]
	}
	if shown := []rune(version); len(shown) > commitLength {
		return string(shown[:commitLength-1]) + "…"
	}
	return version
}

// aBuild makes a verb about one build: the newest if none is named.
func (c *cli) aBuild(cmd *cobra.Command, do func(ctx context.Context, app string, b wire.Build) error) *cobra.Command {
	cmd.Args = args(cobra.MaximumNArgs(1))
	cmd.RunE = func(cmd *cobra.Command, id []string) error {
		app, err := c.appName(cmd.Context())
		if err != nil {
			return err
		}
		b, err := c.findBuild(cmd.Context(), app, id, func(wire.Build) bool { return true }, "has no builds: git push makes the first")
		if err != nil {
			return err
		}
		return do(cmd.Context(), app, b)
	}
	return c.completeArgs(c.withApp(cmd), false, c.buildNames())
}

// findBuild finds the build that is named, in full or by how it begins, else the
// newest of those that are meant.
func (c *cli) findBuild(ctx context.Context, app string, id []string, meant func(wire.Build) bool, none string) (wire.Build, error) {
	if len(id) > 0 && len(id[0]) == len("00000000-0000-0000-0000-000000000000") {
		return c.client().Build(ctx, app, id[0])
	}
	all, err := c.client().Builds(ctx, app, manyBuilds)
	if err != nil {
		return wire.Build{}, err
	}
	if len(id) > 0 {
		all = slices.DeleteFunc(all, func(b wire.Build) bool { return id[0] == "" || !strings.HasPrefix(b.ID, id[0]) })
		if len(all) != 1 {
			return wire.Build{}, fmt.Errorf("%d builds of ⬢ %s have an ID that begins with %q: slipway builds lists them", len(all), app, id[0])
		}
		return all[0], nil
	}
	i := slices.IndexFunc(all, meant)
	if i < 0 {
		return wire.Build{}, fmt.Errorf("⬢ %s %s", app, none)
	}
	return all[i], nil
}

// manyBuilds is among how many builds one is looked for.
const manyBuilds = 1000

func (c *cli) buildNames() candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Builds(ctx, app, newest)
		names := make([]string, len(all))
		for i, b := range all {
			names[i] = b.ID + "\t" + strings.TrimSpace(b.Status+" "+shortVersion(b))
		}
		return names, err
	})
}

func (c *cli) buildsInfo() *cobra.Command {
	return c.withJSON(c.aBuild(&cobra.Command{
		Use:     "builds:info [ID]",
		Short:   "Show one build (the newest by default)",
		Example: "  slipway builds:info -a hello",
	}, func(_ context.Context, _ string, b wire.Build) error {
		if c.json {
			return c.printJSON(b)
		}
		fields := []field{
			{"Status", b.Status},
			{"By", b.User.Email},
			{"When", b.CreatedAt.Local().Format(timeLayout)},
			{"Version", versionOf(b)},
			{"Source", b.SourceBlob.URL},
			{"Stack", b.Stack},
		}
		if b.Status != wire.BuildPending {
			fields = append(fields, field{"Ended", b.UpdatedAt.Local().Format(timeLayout)})
		}
		if b.ReleaseVersion > 0 {
			fields = append(fields, field{"Release", fmt.Sprintf("v%d", b.ReleaseVersion)})
		}
		if b.Slug != nil {
			fields = append(fields, field{"Slug", b.Slug.ID})
		}
		c.header("Build " + b.ID)
		c.object(fields)
		return nil
	}))
}

func (c *cli) buildsOutput() *cobra.Command {
	return c.aBuild(&cobra.Command{
		Use:   "builds:output [ID]",
		Short: "Show what a build prints (the newest by default)",
		Long: `Show what a build prints. That of one that goes on is followed until it ends;
then the exit code is 1 if it has failed.`,
		Example: "  slipway builds:output -a hello",
	}, c.followBuild)
}

// followBuild shows the output of a build, and waits for its end if it goes on.
func (c *cli) followBuild(ctx context.Context, app string, b wire.Build) error {
	if err := c.client().Stream(ctx, b.OutputStreamURL, c.Stdout); err != nil {
		return err
	}
	if b.Status != wire.BuildPending {
		return nil
	}
	ended, err := c.client().Build(ctx, app, b.ID)
	if err != nil {
		return err
	}
	switch ended.Status {
	case wire.BuildFailed:
		return fmt.Errorf("the build %.8s has failed: its output says why", b.ID)
	case wire.BuildPending:
		return fmt.Errorf("the server has ended the stream while the build %.8s goes on: run slipway builds:output again", b.ID)
	}
	return nil
}

func (c *cli) buildsCancel() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "builds:cancel [ID]",
		Short:   "End a build as Ctrl-C at its push does (the one that goes on by default)",
		Example: "  slipway builds:cancel -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, id []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			b, err := c.findBuild(cmd.Context(), app, id,
				func(b wire.Build) bool { return b.Status == wire.BuildPending }, "has no build that goes on: there is nothing to cancel")
			if err != nil {
				return err
			}
			err = c.doing("Stopping build "+b.ID, func() (string, error) {
				b, err = c.client().CancelBuild(cmd.Context(), app, b.ID)
				return "", err
			})
			if err == nil && c.json {
				return c.printJSON(b)
			}
			return err
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.buildNames())
}

func (c *cli) buildsPurge() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "builds:cache:purge",
		Aliases: []string{"repo:purge_cache"},
		Short:   "Forget what an app's builds left for the next ones",
		Example: "  slipway builds:cache:purge -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			err = c.doing("Purging the build cache of "+c.hex(app), func() (string, error) {
				return "", c.client().PurgeCache(cmd.Context(), app)
			})
			if err == nil && c.json {
				return c.printJSON(map[string]string{"app": app})
			}
			return err
		},
	}
	return c.withJSON(c.withApp(cmd))
}
