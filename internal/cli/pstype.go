package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

var sizeArgument = regexp.MustCompile(`^([\w-]+)=([\w-]+)$`)

func (c *cli) psType() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ps:type [SIZE | TYPE=SIZE...]",
		Aliases: []string{"resize", "dyno:type", "ps:resize", "dyno:resize"},
		Short:   "Show the sizes of dynos (all have one here)",
		Example: "  slipway ps:type -a hello\n  slipway ps:type " + wire.Size + " -a hello",
		RunE: func(cmd *cobra.Command, asked []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.client().Formation(cmd.Context(), app)
			if err != nil {
				return err
			}
			if err := checkSizes(all, asked); err != nil {
				return err
			}
			slices.SortFunc(all, func(a, b wire.Formation) int { return cmp.Compare(a.Type, b.Type) })
			if c.json {
				return c.printJSON(all)
			}
			if len(all) == 0 {
				return noTypes(app)
			}
			c.printSizes(all)
			return nil
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), true, c.typeNames("="))
}

// checkSizes refuses every size but the one that there is.
func checkSizes(all []wire.Formation, asked []string) error {
	for _, text := range asked {
		size := text
		if parts := sizeArgument.FindStringSubmatch(text); parts != nil {
			if !slices.ContainsFunc(all, func(f wire.Formation) bool { return f.Type == parts[1] }) {
				return fmt.Errorf("couldn't find the process type %q: slipway ps:scale lists them", parts[1])
			}
			size = parts[2]
		} else if len(asked) > 1 {
			return usageError{errors.New("write TYPE=SIZE for each process type, or one SIZE for all")}
		}
		if err := checkSize(size); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) printSizes(all []wire.Formation) {
	var rows [][]string
	var sizes []string
	totals := map[string]int{}
	for _, f := range all {
		rows = append(rows, []string{f.Type, f.Size, strconv.Itoa(f.Quantity)})
		if !slices.Contains(sizes, f.Size) {
			sizes = append(sizes, f.Size)
		}
		totals[f.Size] += f.Quantity
	}
	c.header("Process Types")
	c.table([]string{"Type", "Size", "Qty"}, rows)
	c.printf("\n")
	c.header("Dyno Totals")
	rows = nil
	for _, size := range sizes {
		rows = append(rows, []string{size, strconv.Itoa(totals[size])})
	}
	c.table([]string{"Type", "Total"}, rows)
}
