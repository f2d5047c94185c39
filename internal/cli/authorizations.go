package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) authorizations() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "authorizations",
		Short:   "List the tokens that sign you in",
		Example: "  slipway authorizations",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := c.client().Authorizations(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(all)
			}
			if len(all) == 0 {
				c.printf("No OAuth authorizations.\n")
				return nil
			}
			rows := make([][]string, 0, len(all))
			for _, a := range all {
				rows = append(rows, []string{a.Description, a.ID, strings.Join(a.Scope, ",")})
			}
			c.table([]string{"Description", "ID", "Scope"}, rows)
			return nil
		},
	})
}

func (c *cli) authorizationsInfo() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "authorizations:info ID",
		Short:   "Show a token that signs you in, its middle masked",
		Example: "  slipway authorizations:info 105a7bfa-34c3-476e-873a-b1ac3fdc12fb",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, id []string) error {
			found, err := c.client().Authorization(cmd.Context(), id[0])
			if err != nil {
				return err
			}
			return c.printAuthorization(found)
		},
	})
}

func (c *cli) authorizationsCreate() *cobra.Command {
	var description, expires, scope string
	var short bool
	cmd := &cobra.Command{
		Use:     "authorizations:create",
		Short:   "Make a token that signs you in, for a script say",
		Example: "  slipway authorizations:create -d \"continuous integration\"\n  slipway authorizations:create --expires-in 3600 --short",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			create := wire.AuthorizationCreate{}
			if cmd.Flags().Changed("description") {
				create.Description = &description
			}
			if scope != "" {
				create.Scope = strings.Split(scope, ",")
			}
			if expires != "" {
				if _, err := strconv.ParseInt(expires, 10, 64); err != nil {
					return usageError{fmt.Errorf("--expires-in %q: write a number of seconds", expires)}
				}
				create.ExpiresIn = json.Number(expires)
			}
			if short {
				made, err := c.client().CreateAuthorization(cmd.Context(), create)
				if err == nil {
					c.printf("%s\n", made.AccessToken.Token)
				}
				return err
			}
			return c.changeAuthorization("Creating OAuth Authorization", func() (wire.Authorization, error) {
				return c.client().CreateAuthorization(cmd.Context(), create)
			})
		},
	}
	cmd.Flags().StringVarP(&description, "description", "d", "", "what it is for")
	cmd.Flags().StringVarP(&expires, "expires-in", "e", "", "how long it is good for, in seconds (default: for ever)")
	cmd.Flags().StringVarP(&scope, "scope", "s", "", "what it may be used for: global, which is all that its owner may")
	cmd.Flags().BoolVarP(&short, "short", "S", false, "print the token only")
	return c.withJSON(cmd)
}

func (c *cli) authorizationsRotate() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "authorizations:rotate ID",
		Short:   "Make another token in the place of one, which is no longer good then",
		Example: "  slipway authorizations:rotate 105a7bfa-34c3-476e-873a-b1ac3fdc12fb",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, id []string) error {
			return c.changeAuthorization("Rotating OAuth Authorization", func() (wire.Authorization, error) {
				return c.client().RotateAuthorization(cmd.Context(), id[0])
			})
		},
	})
}

func (c *cli) changeAuthorization(what string, do func() (wire.Authorization, error)) error {
	var changed wire.Authorization
	err := c.doing(what, func() (_ string, err error) {
		changed, err = do()
		return "", err
	})
	if err != nil {
		return err
	}
	return c.printAuthorization(changed)
}

func (c *cli) printAuthorization(a wire.Authorization) error {
	if c.json {
		return c.printJSON(a)
	}
	expires := ""
	if a.AccessToken.ExpiresIn != nil {
		expires = time.Now().Add(time.Duration(*a.AccessToken.ExpiresIn) * time.Second).Format(timeLayout)
	}
	c.object([]field{
		{"Client", "<none>"},
		{"ID", a.ID},
		{"Description", a.Description},
		{"Scope", strings.Join(a.Scope, ",")},
		{"Token", a.AccessToken.Token},
		{"Expires at", expires},
		{"Updated at", a.UpdatedAt.Local().Format(timeLayout)},
	})
	return nil
}

func (c *cli) authorizationsRevoke() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "authorizations:revoke ID",
		Aliases: []string{"authorizations:destroy"},
		Short:   "Make a token no longer good",
		Example: "  slipway authorizations:revoke 105a7bfa-34c3-476e-873a-b1ac3fdc12fb",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, id []string) error {
			var revoked wire.Authorization
			err := c.doing("Revoking OAuth Authorization", func() (_ string, err error) {
				revoked, err = c.client().RevokeAuthorization(cmd.Context(), id[0])
				return ", revoked authorization from " + revoked.Description, err
			})
			if err != nil || !c.json {
				return err
			}
			return c.printJSON(revoked)
		},
	})
}
