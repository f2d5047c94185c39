package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completeWithin bounds how long a shell waits for what may come next.
const completeWithin = 2 * time.Second

// A candidates is what may stand somewhere on a command line: words, each with a
// description behind a tab where there is one. An error counts as none: a shell
// has no place for it.
type candidates func(ctx context.Context) ([]string, error)

// completeFlag says what may follow a flag.
func (c *cli) completeFlag(cmd *cobra.Command, flag string, what candidates) {
	// It fails for flags only that the verb does not have.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd, typed, what), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeArgs says what a verb's arguments may be: the first of them, if only
// one is taken.
func (c *cli) completeArgs(cmd *cobra.Command, several bool, what candidates) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(given) > 0 && !several {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words := complete(cmd, typed, what)
		directive := cobra.ShellCompDirectiveNoFileComp
		if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.HasSuffix(word(w), "=") }) {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return words, directive
	}
	return cmd
}

func complete(cmd *cobra.Command, typed string, what candidates) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	all, err := what(ctx)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(w string) bool { return !strings.HasPrefix(w, typed) })
}

// word is a candidate without its description.
func word(candidate string) string {
	w, _, _ := strings.Cut(candidate, "\t")
	return w
}

func (c *cli) appNames(ctx context.Context) ([]string, error) {
	apps, err := c.client().Apps(ctx)
	names := make([]string, len(apps))
	for i, app := range apps {
		names[i] = app.Name
	}
	return names, err
}

func (c *cli) remoteNames(ctx context.Context) ([]string, error) {
	var names []string
	for _, r := range c.ours(ctx) {
		names = append(names, r.name+"\t"+r.app)
	}
	return names, nil
}

// ofApp makes candidates of what an app has.
func (c *cli) ofApp(list func(ctx context.Context, app string) ([]string, error)) candidates {
	return func(ctx context.Context) ([]string, error) {
		app, err := c.appName(ctx)
		if err != nil {
			return nil, err
		}
		return list(ctx, app)
	}
}

// typeNames are an app's process types, each with something behind it.
func (c *cli) typeNames(behind string) candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Formation(ctx, app)
		all = scalable(all)
		names := make([]string, len(all))
		for i, f := range all {
			names[i] = f.Type + behind
		}
		return names, err
	})
}

// dynoNames are an app's dynos and process types.
func (c *cli) dynoNames() candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Dynos(ctx, app)
		var names []string
		for _, d := range all {
			names = append(names, d.Name+"\t"+d.State)
			if !slices.Contains(names, d.Type) {
				names = append(names, d.Type)
			}
		}
		return names, err
	})
}

// varNames are the names of an app's config vars, each with something behind it.
func (c *cli) varNames(behind string) candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		vars, err := c.client().Config(ctx, app)
		names := slices.Sorted(maps.Keys(vars))
		for i := range names {
			names[i] += behind
		}
		return names, err
	})
}

func (c *cli) releaseNames() candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Releases(ctx, app, newest)
		names := make([]string, len(all))
		for i, r := range all {
			names[i] = fmt.Sprintf("v%d\t%s", r.Version, r.Description)
		}
		return names, err
	})
}

func (c *cli) domainNames() candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Domains(ctx, app)
		var names []string
		for _, d := range all {
			if d.Kind == customDomain {
				names = append(names, d.Hostname)
			}
		}
		return names, err
	})
}

func (c *cli) certNames() candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Certs(ctx, app)
		names := make([]string, len(all))
		for i, cert := range all {
			names[i] = cert.Name
		}
		return names, err
	})
}

func (c *cli) drainNames() candidates {
	return c.ofApp(func(ctx context.Context, app string) ([]string, error) {
		all, err := c.client().Drains(ctx, app)
		names := make([]string, len(all))
		for i, d := range all {
			names[i] = d.Token
		}
		return names, err
	})
}
