package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func (c *cli) whoami() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "auth:whoami",
		Aliases: []string{"whoami"},
		Short:   "Print whom you are signed in as",
		Example: "  slipway whoami",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			account, err := c.client().Account(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(account)
			}
			c.printf("%s\n", account.Email)
			return nil
		},
	})
}

func (c *cli) authToken() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "auth:token",
		Short:   "Print the token that you are signed in with",
		Example: "  slipway auth:token",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			token := c.client().Token
			if token == "" {
				return errors.New("not signed in: run slipway login --token-file FILE, or set SLIPWAY_TOKEN")
			}
			if c.json {
				return c.printJSON(map[string]string{"token": token})
			}
			c.printf("%s\n", token)
			return nil
		},
	})
}

// accountVerbs are about who may do what.
func (c *cli) accountVerbs() []*cobra.Command {
	return []*cobra.Command{
		c.whoami(), c.authToken(),
		c.users(), c.usersAdd(), c.usersToken(), c.usersRemove(),
		c.access(), c.accessAdd(), c.accessRemove(),
		c.authorizations(), c.authorizationsInfo(), c.authorizationsCreate(), c.authorizationsRotate(), c.authorizationsRevoke(),
	}
}
