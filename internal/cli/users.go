package cli

import (
	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) users() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "users",
		Short:   "List the accounts of the server (for administrators)",
		Example: "  slipway users\n  slipway users --json",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := c.client().Users(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			if len(all) == 0 {
				c.printf("There are no accounts beside the administrator's. Add one with slipway users:add EMAIL.\n")
				return nil
			}
			rows := make([][]string, 0, len(all))
			for _, u := range all {
				rows = append(rows, []string{u.Email, roleOf(u), u.CreatedAt.Local().Format(timeLayout)})
			}
			c.table([]string{"Email", "Role", "Created at"}, rows)
			return nil
		},
	})
}

func roleOf(u wire.User) string {
	if u.Admin {
		return "administrator"
	}
	return "user"
}

func (c *cli) usersAdd() *cobra.Command {
	var admin bool
	cmd := &cobra.Command{
		Use:   "users:add EMAIL",
		Short: "Make an account, and its first token (for administrators)",
		Long: `Make an account, and print its first token, which is shown this once.

Give the token to the person, who signs in with it: slipway login, heroku login -i,
or as git's password. They then use the apps that they make and those whose
owners let them in with slipway access:add; administrators may use all.`,
		Example: "  slipway users:add ann@example.com\n  slipway users:add root@example.com --admin",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, email []string) error {
			return c.newToken("Adding account "+email[0], func() (wire.User, error) {
				return c.client().AddUser(cmd.Context(), wire.UserCreate{Email: email[0], Admin: admin})
			})
		},
	}
	cmd.Flags().BoolVar(&admin, "admin", false, "let the account use all apps, and make and remove accounts")
	return c.withJSON(cmd)
}

func (c *cli) usersToken() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "users:token EMAIL",
		Short:   "Make another token for somebody who has lost theirs (for administrators)",
		Example: "  slipway users:token ann@example.com",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, email []string) error {
			return c.newToken("Making a token for "+email[0], func() (wire.User, error) {
				return c.client().AddUserToken(cmd.Context(), email[0])
			})
		},
	})
}

// newToken does what makes a token for somebody, and says what they do with it.
func (c *cli) newToken(what string, do func() (wire.User, error)) error {
	var user wire.User
	err := c.doing(what, func() (_ string, err error) {
		user, err = do()
		return "", err
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(user)
	}
	c.printf("Token: %s\n", user.Token)
	c.note("This token is not shown again. Give it to %s, who signs in with:", user.Email)
	c.note("  SLIPWAY_URL=%s slipway login    (and the token on standard input)", c.URL)
	c.note("or with it as password in git push and heroku login -i.")
	return nil
}

func (c *cli) usersRemove() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "users:remove EMAIL",
		Short: "Delete an account with its tokens and keys (for administrators)",
		Long: `Delete an account, its tokens, its SSH keys, and what others let it in to.

Its apps stay, and run on: an administrator can use and destroy them.`,
		Example: "  slipway users:remove ann@example.com",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, email []string) error {
			var removed wire.User
			err := c.doing("Removing account "+email[0], func() (_ string, err error) {
				removed, err = c.client().RemoveUser(cmd.Context(), email[0])
				return "", err
			})
			if err != nil || !c.json {
				return err
			}
			return c.printJSON(removed)
		},
	})
}
