package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) create() *cobra.Command {
	var noRemote bool
	cmd := &cobra.Command{
		Use:     "create [NAME]",
		Aliases: []string{"apps:create"},
		Short:   "Make an app, and add its git remote to the repository you stand in",
		Example: "  slipway create\n  slipway create hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			ctx := cmd.Context()
			app, err := c.client().CreateApp(ctx, strings.Join(name, ""))
			if err != nil {
				return err
			}
			if !noRemote && inRepository(ctx) && !hasRemote(ctx) {
				if err := setRemote(ctx, app.GitURL); err != nil {
					return err
				}
			}
			if c.json {
				return c.printJSON(app)
			}
			c.printf("Creating app... done, ⬢ %s\n%s | %s\n", app.Name, app.WebURL, app.GitURL)
			return nil
		},
	}
	cmd.Flags().BoolVar(&noRemote, "no-remote", false, "do not add a git remote")
	return c.withJSON(cmd)
}

func (c *cli) apps() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "apps",
		Short:   "List the apps",
		Example: "  slipway apps\n  slipway apps --json",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			apps, err := c.client().Apps(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(apps)
			}
			if len(apps) == 0 {
				c.printf("You have no apps. Make one with slipway create.\n")
				return nil
			}
			c.printf("=== Apps\n\n")
			for _, app := range apps {
				c.printf("%s\n", app.Name)
			}
			return nil
		},
	})
}

func (c *cli) appsInfo() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "apps:info",
		Aliases: []string{"info"},
		Short:   "Show where an app's parts are, and what it runs",
		Example: "  slipway apps:info -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			app, err := c.client().App(cmd.Context(), name)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(app)
			}
			wanted, err := c.client().Formation(cmd.Context(), name)
			if err != nil {
				return err
			}
			c.printf("=== %s\n\nGit URL:       %s\nWeb URL:       %s\nOwner:         %s\nDynos:         %s\nIdle timeout:  %s\n",
				app.Name, app.GitURL, app.WebURL, app.Owner.Email, formationText(wanted, ": ", ", ", "none"), app.IdleTimeout)
			return nil
		},
	}))
}

func (c *cli) appsDestroy() *cobra.Command {
	var confirm string
	cmd := &cobra.Command{
		Use:     "apps:destroy",
		Short:   "Remove an app with its repository, releases and images",
		Example: "  slipway apps:destroy -a hello --confirm hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			if confirm == "" {
				fmt.Fprintf(c.Stderr, " !     This removes ⬢ %s with its repository, releases and images.\n !     Type %s to go on:\n> ", name, name)
				line, err := bufio.NewReader(io.LimitReader(c.Stdin, maxInput)).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read confirmation: %w", err)
				}
				confirm = strings.TrimSpace(line)
			}
			if confirm != name {
				return fmt.Errorf("%q is not %q: nothing was removed", confirm, name)
			}
			if err := c.client().DestroyApp(cmd.Context(), name); err != nil {
				return err
			}
			c.printf("Destroying ⬢ %s... done\n", name)
			return nil
		},
	}
	cmd.Flags().StringVar(&confirm, "confirm", "", "the app's name, instead of being asked for it")
	return c.withApp(cmd)
}
