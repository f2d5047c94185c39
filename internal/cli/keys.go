package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

func (c *cli) keys() *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use:     "keys",
		Short:   "List the SSH keys that may sign in",
		Example: "  slipway keys\n  slipway keys --long",
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
				return nil
			}
			for _, k := range keys {
				if long {
					c.printf("%s\n", strings.TrimSpace(k.PublicKey))
				} else {
					c.printf("%s %s\n", k.Fingerprint, c.paint(cyan, k.Comment))
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "print the keys whole")
	return c.withJSON(cmd)
}

func (c *cli) keysAdd() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "keys:add FILE",
		Short:   "Let an SSH public key sign in (the one in ~/.ssh by default)",
		Example: "  slipway keys:add ~/.ssh/id_ed25519.pub",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			file := strings.Join(given, "")
			if file == "" {
				var err error
				if file, err = c.ownKey(yes); err != nil {
					return err
				}
			}
			public, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("read key: %w", err)
			}
			var key wire.Key
			err = c.doing("Uploading "+c.paint(cyan, file)+" SSH key", func() (_ string, err error) {
				key, err = c.client().AddKey(cmd.Context(), string(public))
				return "", err
			})
			if err == nil && c.json {
				return c.printJSON(key)
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c.withJSON(cmd)
}

// ownKey is the public key in the person's directory, if there is exactly one,
// and they say yes.
func (c *cli) ownKey(yes bool) (string, error) {
	const usage = "usage: slipway keys:add FILE"
	found, err := filepath.Glob(filepath.Join(c.Home, ".ssh", "*.pub"))
	if err != nil || c.Home == "" || len(found) == 0 {
		return "", usageError{errors.New("there is no public key in ~/.ssh: make one with ssh-keygen, or name its file: " + usage)}
	}
	if len(found) > 1 {
		return "", usageError{fmt.Errorf("which key? there are %s: %s", strings.Join(found, ", "), usage)}
	}
	if !yes {
		agreed, err := c.agree("Found an SSH public key at " + found[0] + ". Upload it?")
		if err != nil {
			return "", err
		}
		if !agreed {
			return "", errors.New("no key was uploaded: " + usage)
		}
	}
	return found[0], nil
}

func (c *cli) keysRemove() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "keys:remove COMMENT|FINGERPRINT",
		Short:   "Take an SSH key's right to sign in away",
		Example: "  slipway keys:remove ann@home\n  slipway keys:remove SHA256:…",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return c.removeKeys(cmd, "Removing "+c.paint(cyan, given[0])+" SSH key", func(all []wire.Key) ([]wire.Key, error) {
				meant := slices.DeleteFunc(slices.Clone(all), func(k wire.Key) bool {
					return k.Fingerprint != given[0] && (k.Comment != given[0] || given[0] == "")
				})
				if len(meant) > 0 {
					return meant, nil
				}
				comments := make([]string, len(all))
				for i, k := range all {
					comments[i] = k.Comment
				}
				return nil, fmt.Errorf("SSH key %q not found: slipway keys lists those that there are (%s)", given[0], strings.Join(comments, ", "))
			})
		},
	})
}

func (c *cli) keysClear() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "keys:clear",
		Short:   "Take the right to sign in away from all SSH keys",
		Example: "  slipway keys:clear",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.removeKeys(cmd, "Removing all SSH keys", func(all []wire.Key) ([]wire.Key, error) { return all, nil })
		},
	})
}

// removeKeys removes some of the keys.
func (c *cli) removeKeys(cmd *cobra.Command, what string, choose func([]wire.Key) ([]wire.Key, error)) error {
	gone := []wire.Key{}
	err := c.doing(what, func() (string, error) {
		all, err := c.client().Keys(cmd.Context())
		if err != nil {
			return "", err
		}
		chosen, err := choose(all)
		if err != nil {
			return "", err
		}
		for _, key := range chosen {
			if err := c.client().RemoveKey(cmd.Context(), key.Fingerprint); err != nil {
				return "", err
			}
			gone = append(gone, key)
		}
		return "", nil
	})
	if err == nil && c.json {
		return c.printJSON(gone)
	}
	return err
}
