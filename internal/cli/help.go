package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// usage is what a verb's help says below its description. The verbs of the root
// are listed by topic, elsewhere.
const usage = `Usage:
  {{if .HasParent}}{{.UseLine}}{{else}}{{.Name}} COMMAND [flags]{{end}}{{if .Aliases}}

Aliases:
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if and .HasParent .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

// addHelp gives the root its help by topic.
func (c *cli) addHelp(root *cobra.Command) {
	root.SetUsageTemplate(usage)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "%s\n\n%s", cmp.Or(cmd.Long, cmd.Short), cmd.UsageString())
		if !cmd.HasParent() {
			c.printTopics(out, root)
			fmt.Fprint(out, "\nslipway help COMMAND or slipway help TOPIC says more.\n")
			return
		}
		if topic := topicOf(cmd); cmd.Name() == topic {
			c.printTopic(out, root, topic, cmd)
		}
	})
	root.SetHelpCommand(&cobra.Command{
		Use:     "help [COMMAND|TOPIC]",
		Short:   "Say how a command is used, or what commands a topic has",
		Example: "  slipway help ps\n  slipway help config:set",
		RunE: func(_ *cobra.Command, words []string) error {
			if len(words) == 0 {
				return root.Help()
			}
			if verb, _, err := root.Find(words); err == nil && verb != root {
				verb.InitDefaultHelpFlag()
				return verb.Help()
			}
			if len(topics(root)[words[0]]) == 0 {
				return unknownVerb(root, words)
			}
			c.printTopic(c.Stdout, root, words[0], nil)
			return nil
		},
	})
}

// topicOf is what stands before the colon of a verb's name, or of another name
// that it has: rollback is releases:rollback too. A verb without is a topic.
func topicOf(verb *cobra.Command) string {
	for _, name := range append([]string{verb.Name()}, verb.Aliases...) {
		if topic, _, found := strings.Cut(name, ":"); found {
			return topic
		}
	}
	return verb.Name()
}

// topics lists the verbs of each topic, by name.
func topics(root *cobra.Command) map[string][]*cobra.Command {
	all := map[string][]*cobra.Command{}
	for _, verb := range root.Commands() {
		if !verb.Hidden {
			all[topicOf(verb)] = append(all[topicOf(verb)], verb)
		}
	}
	return all
}

// printTopics lists all verbs: the topics that have several, then the others.
func (c *cli) printTopics(out io.Writer, root *cobra.Command) {
	all := topics(root)
	widest := 0
	for _, verb := range root.Commands() {
		widest = max(widest, len(verb.Name()))
	}
	var others []*cobra.Command
	for _, topic := range slices.Sorted(maps.Keys(all)) {
		if len(all[topic]) == 1 {
			others = append(others, all[topic]...)
			continue
		}
		fmt.Fprintf(out, "\n%s\n", c.paint(bold, topic))
		printVerbs(out, all[topic], widest)
	}
	fmt.Fprintf(out, "\n%s\n", c.paint(bold, "other commands"))
	printVerbs(out, others, widest)
}

// printTopic lists the verbs of a topic but one, if there are any.
func (c *cli) printTopic(out io.Writer, root *cobra.Command, topic string, but *cobra.Command) {
	verbs := slices.DeleteFunc(topics(root)[topic], func(v *cobra.Command) bool { return v == but })
	if len(verbs) == 0 {
		return
	}
	widest := 0
	for _, verb := range verbs {
		widest = max(widest, len(verb.Name()))
	}
	if but != nil {
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "%s\n", c.paint(bold, "Commands of "+topic+":"))
	printVerbs(out, verbs, widest)
}

func printVerbs(out io.Writer, verbs []*cobra.Command, widest int) {
	for _, verb := range verbs {
		fmt.Fprintf(out, "  %-*s  %s\n", widest, verb.Name(), verb.Short)
	}
}

func (c *cli) commands() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:     "commands",
		Short:   "List all commands",
		Example: "  slipway commands\n  slipway commands --json",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			type listed struct {
				ID      string   `json:"id"`
				Topic   string   `json:"topic"`
				Summary string   `json:"summary"`
				Aliases []string `json:"aliases"`
			}
			all := []listed{}
			var rows [][]string
			for _, verb := range cmd.Root().Commands() {
				if verb.Hidden {
					continue
				}
				all = append(all, listed{verb.Name(), topicOf(verb), verb.Short, append([]string{}, verb.Aliases...)})
				rows = append(rows, []string{verb.Name(), topicOf(verb), verb.Short})
			}
			if c.json {
				return c.printJSON(all)
			}
			c.table([]string{"ID", "Topic", "Summary"}, rows)
			return nil
		},
	})
}
