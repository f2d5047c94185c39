package cli

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/client"
	"slipway/internal/wire"
)

func (c *cli) create() *cobra.Command {
	var noRemote bool
	var as string
	cmd := &cobra.Command{
		Use:     "create [NAME]",
		Aliases: []string{"apps:create"},
		Short:   "Make an app, and add its git remote to the repository you stand in",
		Example: "  slipway create\n  slipway create hello\n  slipway create hello-staging --remote staging",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			ctx := cmd.Context()
			var app wire.App
			err := c.doing("Creating app", func() (_ string, err error) {
				app, err = c.client().CreateApp(ctx, cmp.Or(strings.Join(name, ""), c.app))
				return ", " + c.hex(app.Name), err
			})
			if err != nil {
				return err
			}
			if c.json {
				err = c.printJSON(app)
			} else {
				c.printf("%s | %s\n", c.paint(cyan, app.WebURL), c.paint(cyan, app.GitURL))
			}
			if noRemote || !inRepository(ctx) {
				return err
			}
			if hasRemote(ctx, as) {
				c.note("There is a git remote %s already, and it stays. To push to this app: slipway git:remote -a %s", as, app.Name)
				return err
			}
			return errors.Join(err, setRemote(ctx, as, app.GitURL))
		},
	}
	cmd.Flags().BoolVarP(&noRemote, "no-remote", "n", false, "do not add a git remote")
	cmd.Flags().StringVarP(&as, "remote", "r", remoteName, "how to name the git remote")
	cmd.Flags().StringVarP(&c.app, "app", "a", "", "the same as NAME")
	return c.withJSON(cmd)
}

func (c *cli) apps() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "apps",
		Aliases: []string{"apps:list", "list"},
		Short:   "List your apps",
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
			me, err := c.client().Account(cmd.Context())
			if err != nil {
				return err
			}
			c.printApps(me.Email, apps)
			return nil
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "A", true, "with those that others own and you work on (always so)")
	return c.withJSON(cmd)
}

// printApps lists a person's own apps, then those of others.
func (c *cli) printApps(me string, apps []wire.App) {
	var own []string
	var others [][]string
	for _, app := range apps {
		if app.Owner.Email == me {
			own = append(own, app.Name)
		} else {
			others = append(others, []string{app.Name, app.Owner.Email})
		}
	}
	if len(own) > 0 {
		c.header(me + " Apps")
	}
	for _, name := range own {
		c.printf("%s\n", c.paint(purple, name))
	}
	if len(others) == 0 {
		return
	}
	if len(own) > 0 {
		c.printf("\n")
	}
	c.header("Collaborated Apps")
	c.table([]string{"Name", "Email"}, others)
}

func (c *cli) appsDestroy() *cobra.Command {
	var confirm string
	cmd := &cobra.Command{
		Use:     "apps:destroy",
		Aliases: []string{"destroy", "apps:delete"},
		Short:   "Remove an app with its repository, releases and images",
		Example: "  slipway apps:destroy -a hello --confirm hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			ctx := cmd.Context()
			app, err := c.givenApp(cmd, given)
			if err != nil {
				return err
			}
			what := "This will delete ⬢ " + app.Name + " with its repository, releases and images."
			if err := c.confirm(app.Name, confirm, what); err != nil {
				return err
			}
			err = c.doing("Destroying "+c.hex(app.Name), func() (string, error) {
				if _, err := c.client().DestroyApp(ctx, app.Name); err != nil {
					return "", err
				}
				return "", c.forgetRemotes(ctx, app.Name, app.GitURL)
			})
			if err == nil && c.json {
				return c.printJSON(app)
			}
			return err
		},
	}
	c.withConfirm(cmd, &confirm)
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.appNames)
}

// givenApp is the app that stands alone on the command line, as Heroku takes it
// for some verbs, or else the one that all verbs find.
func (c *cli) givenApp(cmd *cobra.Command, given []string) (wire.App, error) {
	name := strings.Join(given, "")
	if name == "" {
		var err error
		if name, err = c.appName(cmd.Context()); err != nil {
			return wire.App{}, err
		}
	}
	return c.client().App(cmd.Context(), name)
}

// notFound says whether the server has not what it was asked for.
func notFound(err error) bool {
	answer, ok := errors.AsType[*client.Error](err)
	return ok && answer.Status == http.StatusNotFound
}
