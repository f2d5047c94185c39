package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		c.printf("%s has no releases. git push makes the first.\n", c.hex(app))
		return nil
	}
	title := "⬢ " + app + " Releases"
	if i := slices.IndexFunc(all, func(r wire.Release) bool { return r.Current }); i >= 0 {
		title += fmt.Sprintf(" - Current: v%d", all[i].Version)
	}
	c.header(title)
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{fmt.Sprintf("v%d", r.Version), change(r), r.User.Email, r.CreatedAt.Local().Format(timeLayout)}
	}
	c.table(nil, rows)
	return nil
}

// change is what a release changed, and what came of it if that is not what one
// hopes for.
func change(r wire.Release) string {
	switch r.Status {
	case "pending":
		return r.Description + " (release command executing)"
	case "failed":
		return r.Description + " (release command failed)"
	case "expired":
		return r.Description + " (release expired)"
	default:
		return r.Description
	}
}

func (c *cli) releasesInfo() *cobra.Command {
	var shell bool
	cmd := &cobra.Command{
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
			c.printRelease(rel)
			vars, err := c.client().ReleaseConfig(cmd.Context(), name, rel.Version)
			if notFound(err) {
				return nil // a server that keeps them to itself
			}
			if err != nil {
				return err
			}
			c.printf("\n")
			c.header(fmt.Sprintf("v%d Config vars", rel.Version))
			if shell {
				c.printShell(vars)
			} else {
				c.printVars(vars, slices.Sorted(maps.Keys(vars)))
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&shell, "shell", "s", false, "print config vars as NAME=VALUE, quoted for a shell")
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.releaseNames())
}

func (c *cli) printRelease(rel wire.Release) {
	eligible := "No"
	if rel.Eligible {
		eligible = "Yes"
	}
	fields := []field{
		{"By", rel.User.Email},
		{"Change", change(rel)},
		{"Eligible for Rollback?", eligible},
		{"When", rel.CreatedAt.Local().Format(timeLayout)},
	}
	if rel.Slug != nil {
		fields = append(fields, field{"Commit", rel.Commit}, field{"Slug", rel.Slug.Digest}, field{"Image", rel.Slug.Image})
	}
	for _, kind := range slices.Sorted(maps.Keys(rel.Processes)) {
		fields = append(fields, field{"Process " + kind, rel.Processes[kind]})
	}
	c.header(fmt.Sprintf("Release v%d", rel.Version))
	c.object(fields)
}

func (c *cli) releasesOutput() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "releases:output [VERSION]",
		Short:   "Show what a release's command printed (the current one's by default)",
		Example: "  slipway releases:output v3 -a hello",
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
			if rel.OutputStreamURL == nil {
				c.note("Release v%d has no release output available.", rel.Version)
				return nil
			}
			return c.client().Stream(cmd.Context(), *rel.OutputStreamURL, c.Stdout)
		},
	}
	return c.completeArgs(c.withApp(cmd), false, c.releaseNames())
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
