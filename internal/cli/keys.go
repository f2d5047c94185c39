package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func (c *cli) keys() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "keys",
		Short:   "List the SSH keys that may sign in",
		Example: "  slipway keys",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := c.client().Keys(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(keys)
			}
			if len(keys) == 0 {
				c.printf("You have no SSH keys. Add one with slipway keys:add ~/.ssh/id_ed25519.pub.\n")
			}
			for _, k := range keys {
				c.printf("%s %s\n", k.Fingerprint, k.Comment)
			}
			return nil
		},
	})
}

func (c *cli) keysAdd() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "keys:add FILE",
		Short:   "Let an SSH public key sign in",
		Example: "  slipway keys:add ~/.ssh/id_ed25519.pub",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, file []string) error {
			public, err := os.ReadFile(file[0])
			if err != nil {
				return fmt.Errorf("read key: %w", err)
			}
			key, err := c.client().AddKey(cmd.Context(), string(public))
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(key)
			}
			c.printf("Uploading %s SSH key... done\n", file[0])
			return nil
		},
	})
}

func (c *cli) keysRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "keys:remove FINGERPRINT",
		Short:   "Take an SSH key's right to sign in away",
		Example: "  slipway keys:remove SHA256:…",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, fingerprint []string) error {
			if err := c.client().RemoveKey(cmd.Context(), fingerprint[0]); err != nil {
				return err
			}
			c.printf("Removing %s SSH key... done\n", fingerprint[0])
			return nil
		},
	}
}
