package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// completion prints the script that lets a shell ask slipway what may come next.
func (c *cli) completion() *cobra.Command {
	scripts := map[string]func(root *cobra.Command) error{
		"bash":       func(root *cobra.Command) error { return root.GenBashCompletionV2(c.Stdout, true) },
		"zsh":        func(root *cobra.Command) error { return root.GenZshCompletion(c.Stdout) },
		"fish":       func(root *cobra.Command) error { return root.GenFishCompletion(c.Stdout, true) },
		"powershell": func(root *cobra.Command) error { return root.GenPowerShellCompletionWithDesc(c.Stdout) },
	}
	shells := slices.Sorted(maps.Keys(scripts))
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Print the script that completes slipway's commands in a shell",
		Long: `Print the script that completes slipway's commands, flags, and the names of apps,
process types, config vars and releases in a shell. Bash needs its package
bash-completion.`,
		Example:   "  source <(slipway completion bash)\n  slipway completion zsh > \"${fpath[1]}/_slipway\"\n  slipway completion fish > ~/.config/fish/completions/slipway.fish",
		Args:      args(cobra.ExactArgs(1)),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, shell []string) error {
			script, found := scripts[shell[0]]
			if !found {
				return usageError{fmt.Errorf("there is no completion for %q: give one of %s", shell[0], strings.Join(shells, ", "))}
			}
			return script(cmd.Root())
		},
	}
}
