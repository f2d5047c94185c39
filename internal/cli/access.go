package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) access() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "access",
		Short:   "List who may use an app",
		Example: "  slipway access -a hello",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Collaborators(cmd.Context(), app)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			rows := make([][]string, 0, len(all))
			for _, one := range all {
				permissions := make([]string, 0, len(one.Permissions))
				for _, p := range one.Permissions {
					permissions = append(permissions, p.Name)
				}
				rows = append(rows, []string{one.User.Email, one.Role, strings.Join(permissions, ", ")})
			}
			c.table([]string{"Email", "Role", "Permissions"}, rows)
			return nil
		},
	}))
}

func (c *cli) accessAdd() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:   "access:add EMAIL",
		Short: "Let somebody use an app",
		Long: `Let somebody who has an account on the server use an app: push to it, run and
scale it, read its log, and change its config vars and domains.`,
		Example: "  slipway access:add ann@example.com -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, email []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			return c.changeAccess(fmt.Sprintf("Adding %s access to the app %s", c.paint(cyan, email[0]), c.hex(app)), func() (wire.Collaborator, error) {
				return c.client().AddCollaborator(cmd.Context(), app, email[0])
			})
		},
	}))
}

func (c *cli) accessRemove() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "access:remove EMAIL",
		Short:   "Take somebody's access to an app away, or leave it yourself",
		Example: "  slipway access:remove ann@example.com -a hello",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, email []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			return c.changeAccess(fmt.Sprintf("Removing %s access from the app %s", c.paint(cyan, email[0]), c.hex(app)), func() (wire.Collaborator, error) {
				return c.client().RemoveCollaborator(cmd.Context(), app, email[0])
			})
		},
	}))
}

func (c *cli) changeAccess(what string, do func() (wire.Collaborator, error)) error {
	var changed wire.Collaborator
	err := c.doing(what, func() (_ string, err error) {
		changed, err = do()
		return "", err
	})
	if err != nil || !c.json {
		return err
	}
	return c.printJSON(changed)
}
