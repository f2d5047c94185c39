package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) config() *cobra.Command {
	var shell bool
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show an app's config vars",
		Example: "  slipway config -a hello\n  slipway config -a hello --shell > .env",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			vars, err := c.client().Config(cmd.Context(), app)
			if err != nil {
				return err
			}
			switch {
			case c.json:
				return c.printJSON(vars)
			case shell:
				c.printShell(vars)
			default:
				c.header("⬢ " + app + " Config Vars")
				c.printVars(vars, slices.Sorted(maps.Keys(vars)))
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&shell, "shell", "s", false, "print NAME=VALUE, quoted for a shell")
	return c.withJSON(c.withApp(cmd))
}

func (c *cli) configGet() *cobra.Command {
	var shell bool
	cmd := &cobra.Command{
		Use:     "config:get NAME...",
		Short:   "Print the value of config vars (nothing for one that there is not)",
		Example: "  slipway config:get DATABASE_URL -a hello",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			vars, err := c.client().Config(cmd.Context(), app)
			if err != nil {
				return err
			}
			if c.json {
				return c.printPairs(vars, names)
			}
			for _, name := range names {
				if _, found := vars[name]; !found {
					c.note("⬢ %s has no config var %q: slipway config%s lists them.", app, name, c.appFlag())
				}
				if shell {
					c.printf("%s=%s\n", name, shellQuote(vars[name]))
				} else {
					c.printf("%s\n", vars[name])
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&shell, "shell", "s", false, "print NAME=VALUE, quoted for a shell")
	return c.completeArgs(c.withJSON(c.withApp(cmd)), true, c.varNames(""))
}

// printPairs prints config vars in the shape of Heroku's config:get --json.
func (c *cli) printPairs(vars map[string]string, names []string) error {
	type pair struct {
		Key   string  `json:"key"`
		Value *string `json:"value"` // null if there is none
	}
	pairs := make([]pair, len(names))
	for i, name := range names {
		pairs[i].Key = name
		if value, found := vars[name]; found {
			pairs[i].Value = &value
		}
	}
	if len(pairs) == 1 {
		return c.printJSON(pairs[0])
	}
	return c.printJSON(pairs)
}

func (c *cli) configSet() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config:set NAME=VALUE...",
		Aliases: []string{"config:add"},
		Short:   "Set config vars, and release and restart the app with them",
		Example: "  slipway config:set GREETING=hello DEBUG=0 -a hello",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, pairs []string) error {
			changes := make(map[string]*string, len(pairs))
			for _, pair := range pairs {
				name, value, found := strings.Cut(pair, "=")
				if !found || name == "" {
					// The argument may be a secret that a shell has split off.
					return usageError{errors.New("write each config var as NAME=VALUE, in quotes if the value has spaces")}
				}
				changes[name] = &value
			}
			return c.changeConfig(cmd, changes)
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), true, c.varNames("="))
}

func (c *cli) configUnset() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config:unset NAME...",
		Aliases: []string{"config:remove"},
		Short:   "Remove config vars, and release and restart the app without them",
		Example: "  slipway config:unset GREETING -a hello",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			changes := make(map[string]*string, len(names))
			for _, name := range names {
				changes[name] = nil
			}
			return c.changeConfig(cmd, changes)
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), true, c.varNames(""))
}

// changeConfig makes a release with changed config vars, and shows those that
// were set.
func (c *cli) changeConfig(cmd *cobra.Command, changes map[string]*string) error {
	app, err := c.appName(cmd.Context())
	if err != nil {
		return err
	}
	var set, unset []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if changes[name] != nil {
			set = append(set, name)
		} else {
			unset = append(unset, name)
		}
	}
	var what []string
	if len(set) > 0 {
		what = append(what, "Setting "+strings.Join(set, ", "))
	}
	if len(unset) > 0 {
		what = append(what, "Unsetting "+strings.Join(unset, ", "))
	}
	var vars map[string]string
	err = c.doing(strings.Join(what, " and ")+" and restarting "+c.hex(app), func() (string, error) {
		if vars, err = c.client().SetConfig(cmd.Context(), app, changes); err != nil {
			return "", err
		}
		newest, err := c.client().Releases(cmd.Context(), app, 1)
		if err != nil || len(newest) == 0 {
			return "", err
		}
		return fmt.Sprintf(", v%d", newest[0].Version), nil
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(vars)
	}
	c.printVars(vars, set)
	return nil
}

// printShell prints config vars as a shell takes them.
func (c *cli) printShell(vars map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		c.printf("%s=%s\n", name, shellQuote(vars[name]))
	}
}

// printVars prints NAME: VALUE, the values below each other.
func (c *cli) printVars(vars map[string]string, names []string) {
	widest := 0
	for _, name := range names {
		widest = max(widest, len(name))
	}
	for _, name := range names {
		c.printf("%s:%s %s\n", c.paint(green, name), strings.Repeat(" ", widest-len(name)), vars[name])
	}
}
