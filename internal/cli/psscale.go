package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

var scaleArgument = regexp.MustCompile(`^([\w-]+)([=+-])(\d+)(?::([\w-]+))?$`)

func (c *cli) psScale() *cobra.Command {
	cmd := &cobra.Command{
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
				all, err := c.client().Scale(cmd.Context(), app, updates)
				changed = ofUpdates(all, updates)
				return ", now running " + c.scaleText(changed, " at ", ", "), err
			})
			if err == nil && c.json {
				return c.printJSON(changed)
			}
			return err
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), true, c.typeNames("="))
}

// ofUpdates are the process types that were to be changed.
func ofUpdates(all []wire.Formation, updates []wire.FormationUpdate) []wire.Formation {
	return slices.DeleteFunc(all, func(f wire.Formation) bool {
		return !slices.ContainsFunc(updates, func(u wire.FormationUpdate) bool { return u.Type == f.Type })
	})
}

// showScale prints the formation as ps:scale takes it.
func (c *cli) showScale(cmd *cobra.Command, app string) error {
	all, err := c.client().Formation(cmd.Context(), app)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(all)
	}
	if all = scalable(all); len(all) == 0 {
		return noTypes(app)
	}
	c.printf("%s\n", c.scaleText(all, "=", " "))
	return nil
}

// scalable are the process types that ps:scale takes. The command of a release
// phase is one in Heroku's API, too.
func scalable(all []wire.Formation) []wire.Formation {
	return slices.DeleteFunc(slices.Clone(all), func(f wire.Formation) bool { return f.Type == wire.ReleaseType })
}

func noTypes(app string) error {
	return fmt.Errorf("No process types on ⬢ %s. Name them in a Procfile, and push", app) //nolint:staticcheck // Heroku's words
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
		if err := checkSize(parts[4]); err != nil {
			return nil, err
		}
		updates = append(updates, wire.FormationUpdate{Type: parts[1], Quantity: &q})
	}
	return updates, nil
}

// checkSize refuses another size than the one that there is, if one is named.
func checkSize(size string) error {
	if size == "" || strings.EqualFold(size, wire.Size) {
		return nil
	}
	return usageError{fmt.Errorf("there are no dynos of size %q: all have the size %s here, and as much as the server's settings give them; leave the size out, and ask for more dynos with ps:scale", size, wire.Size)}
}

// scaleText lists process types with their numbers and sizes of dynos.
func (c *cli) scaleText(all []wire.Formation, is, between string) string {
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = fmt.Sprintf("%s%s%d:%s", c.paint(green, f.Type), is, f.Quantity, f.Size)
	}
	return strings.Join(texts, between)
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
