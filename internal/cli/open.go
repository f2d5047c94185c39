package cli

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) open() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "open [PATH]",
		Aliases: []string{"apps:open"},
		Short:   "Open an app in the browser",
		Example: "  slipway open -a hello\n  slipway open /admin -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, path []string) error {
			name, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			app, err := c.client().App(cmd.Context(), name)
			if err != nil {
				return err
			}
			u, err := url.Parse(app.WebURL)
			if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
				return fmt.Errorf("the server says that ⬢ %s is at %q, which is no web address: ask whoever runs it", name, app.WebURL)
			}
			if len(path) > 0 {
				if u, err = u.Parse("/" + strings.TrimLeft(path[0], "/")); err != nil {
					return usageError{fmt.Errorf("%q is no path: write /admin, say", path[0])}
				}
			}
			if c.json {
				err = c.printJSON(map[string]string{"app": app.Name, "url": u.String()})
			} else {
				c.printf("Opening %s...\n", c.paint(cyan, u.String()))
			}
			return errors.Join(err, c.browse(cmd, u.String()))
		},
	}))
}

// browse starts the browser, if there is one. $BROWSER is a command, in which
// %s may stand for the address, or several behind colons.
func (c *cli) browse(cmd *cobra.Command, address string) error {
	first, _, _ := strings.Cut(c.Browser, ":")
	words := strings.Fields(first)
	if len(words) == 0 {
		return nil
	}
	placed := false
	for i, word := range words {
		if strings.Contains(word, "%s") {
			words[i] = strings.ReplaceAll(word, "%s", address)
			placed = true
		}
	}
	if !placed {
		words = append(words, address)
	}
	browser := exec.CommandContext(cmd.Context(), words[0], words[1:]...)
	browser.Stdin, browser.Stdout, browser.Stderr = c.Stdin, c.Stderr, c.Stderr
	if err := browser.Run(); err != nil {
		return fmt.Errorf("start the browser %s: %w: open the address yourself, or set BROWSER", words[0], err)
	}
	return nil
}
