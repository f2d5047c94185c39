package cli

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

var scaleArgument = regexp.MustCompile(`^([\w-]+)([=+-])(\d+)$`)

func (c *cli) psScale() *cobra.Command {
	return c.withJSON(c.withApp(&cobra.Command{
		Use:     "ps:scale [TYPE=N TYPE+N TYPE-N...]",
		Aliases: []string{"scale", "dyno:scale"},
		Short:   "Say how many dynos of a process type to run, or show it",
		Example: "  slipway ps:scale -a hello\n  slipway ps:scale web=2 worker+1 -a hello",
		RunE: func(cmd *cobra.Command, asked []string) error {
			updates, err := parseScale(asked)
			if err != nil {
				return err
			}
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			if len(updates) == 0 {
				return c.showScale(cmd, app)
			}
			var changed []wire.Formation
			err = c.doing("Scaling dynos", func() (string, error) {
				changed, err = c.client().Scale(cmd.Context(), app, updates)
				return ", now running " + formationText(changed, " at ", ", ", ""), err
			})
			if err == nil && c.json {
				return c.printJSON(changed)
			}
			return err
		},
	}))
}

func (c *cli) showScale(cmd *cobra.Command, app string) error {
	all, err := c.client().Formation(cmd.Context(), app)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(all)
	}
	c.printf("%s\n", formationText(all, "=", " ", fmt.Sprintf("No process types on ⬢ %s. Name them in a Procfile, and push.", app)))
	return nil
}

func parseScale(asked []string) ([]wire.FormationUpdate, error) {
	updates := make([]wire.FormationUpdate, 0, len(asked))
	for _, text := range asked {
		parts := scaleArgument.FindStringSubmatch(text)
		if parts == nil {
			return nil, usageError{fmt.Errorf("%q does not say how to scale: write web=2, worker+1 or worker-1", text)}
		}
		q, err := wire.ParseQuantity(strings.TrimPrefix(parts[2], "=") + parts[3])
		if err != nil {
			return nil, usageError{fmt.Errorf("%q does not say how to scale: %w", text, err)}
		}
		updates = append(updates, wire.FormationUpdate{Type: parts[1], Quantity: &q})
	}
	return updates, nil
}

// formationText lists process types with their numbers of dynos.
func formationText(all []wire.Formation, is, between, none string) string {
	if len(all) == 0 {
		return none
	}
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = fmt.Sprintf("%s%s%d", f.Type, is, f.Quantity)
	}
	return strings.Join(texts, between)
}
