package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// newest is how many releases are shown unless more are asked for.
const newest = 15

const timeLayout = "2006/01/02 15:04:05 -0700"

func (c *cli) releases() *cobra.Command {
	num := newest
	cmd := &cobra.Command{
		Use:     "releases",
		Short:   "List an app's releases, newest first",
		Example: "  slipway releases -a hello\n  slipway releases -a hello -n 50 --json",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			if num < 1 {
				return usageError{fmt.Errorf("%d is no number of releases: write 1 or more", num)}
			}
			all, err := c.client().Releases(cmd.Context(), name, num)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			return c.printReleases(name, all)
		},
	}
	cmd.Flags().IntVarP(&num, "num", "n", newest, "how many")
	return c.withJSON(c.withApp(cmd))
}

func (c *cli) printReleases(app string, all []wire.Release) error {
	if len(all) == 0 {
		c.printf("⬢ %s has no releases. git push makes the first.\n", app)
		return nil
	}
	c.printf("=== ⬢ %s Releases - Current: v%d\n\n", app, all[0].Version)
	table := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
	var w io.Writer = table
	for _, r := range all {
		fmt.Fprintf(w, "v%d\t%s\t%s\t%s\n", r.Version, r.Description, r.User.Email, r.CreatedAt.Local().Format(timeLayout))
	}
	return table.Flush()
}

func (c *cli) releasesInfo() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "releases:info [VERSION]",
		Short:   "Show one release (the current one by default)",
		Example: "  slipway releases:info v3 -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, version []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			rel, err := c.findRelease(cmd, name, version)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(rel)
			}
			c.printf("=== Release v%d\n\n", rel.Version)
			table := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', 0)
			var w io.Writer = table
			fmt.Fprintf(w, "By:\t%s\nChange:\t%s\nWhen:\t%s\n", rel.User.Email, rel.Description, rel.CreatedAt.Local().Format(timeLayout))
			if rel.Slug != nil {
				fmt.Fprintf(w, "Commit:\t%s\nSlug:\t%s\nImage:\t%s\n", rel.Commit, rel.Slug.ID, rel.Slug.Image)
			}
			for _, kind := range slices.Sorted(maps.Keys(rel.Processes)) {
				fmt.Fprintf(w, "Process %s:\t%s\n", kind, rel.Processes[kind])
			}
			return table.Flush()
		},
	}))
}

func (c *cli) findRelease(cmd *cobra.Command, app string, version []string) (wire.Release, error) {
	if len(version) == 0 {
		all, err := c.client().Releases(cmd.Context(), app, 1)
		if err != nil {
			return wire.Release{}, err
		}
		if len(all) == 0 {
			return wire.Release{}, fmt.Errorf("⬢ %s has no releases: git push makes the first", app)
		}
		return all[0], nil
	}
	n, err := parseVersion(version[0])
	if err != nil {
		return wire.Release{}, err
	}
	return c.client().Release(cmd.Context(), app, n)
}

func parseVersion(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(text, "v"))
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("%q is no release: write v3, say", text)}
	}
	return n, nil
}
