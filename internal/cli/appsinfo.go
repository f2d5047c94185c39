package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/client"
	"slipway/internal/wire"
)

// An appInfo is what is known of an app, in the shape of Heroku's --json.
type appInfo struct {
	Addons        []string            `json:"addons"`
	App           wire.App            `json:"app"`
	Collaborators []wire.Collaborator `json:"collaborators"`
	Dynos         []wire.Dyno         `json:"dynos"`
	Pipeline      *struct{}           `json:"pipeline_coupling"`

	formation []wire.Formation
}

func (c *cli) appsInfo() *cobra.Command {
	var shell bool
	cmd := &cobra.Command{
		Use:     "apps:info",
		Aliases: []string{"info"},
		Short:   "Show where an app's parts are, and what it runs",
		Example: "  slipway apps:info -a hello\n  slipway apps:info -a hello --shell",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			app, err := c.givenApp(cmd, given)
			if err != nil {
				return err
			}
			info, err := c.appInfo(cmd.Context(), app)
			switch {
			case err != nil:
				return err
			case shell:
				c.printInfoShell(info)
			case c.json:
				return c.printJSON(info)
			default:
				c.printInfo(info)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&shell, "shell", "s", false, "print name=value")
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.appNames)
}

func (c *cli) appInfo(ctx context.Context, app wire.App) (appInfo, error) {
	info := appInfo{Addons: []string{}, App: app, Collaborators: []wire.Collaborator{}}
	collaborators, err := c.client().Collaborators(ctx, app.Name)
	if _, refused := errors.AsType[*client.Error](err); err != nil && !refused {
		return info, err
	}
	info.Collaborators = append(info.Collaborators, collaborators...) // none where they are kept from this person
	if info.Dynos, err = c.client().Dynos(ctx, app.Name); err != nil {
		return info, err
	}
	info.formation, err = c.client().Formation(ctx, app.Name)
	return info, err
}

// others are the emails of those who may use the app beside its owner.
func (info appInfo) others() []string {
	var emails []string
	for _, one := range info.Collaborators {
		if one.Role != "owner" {
			emails = append(emails, one.User.Email)
		}
	}
	slices.Sort(emails)
	return emails
}

func (c *cli) printInfo(info appInfo) {
	app := info.App
	c.header(app.Name)
	c.object([]field{
		{"Collaborators", strings.Join(info.others(), ", ")},
		{"Auto Cert Mgmt", strconv.FormatBool(app.ACM)},
		{"Git URL", app.GitURL},
		{"Web URL", c.paint(cyan, app.WebURL)},
		{"Repo Size", size(app.RepoSize)},
		{"Slug Size", size(app.SlugSize)},
		{"Owner", c.paint(cyan, app.Owner.Email)},
		{"Region", app.Region.Name},
		{"Dynos", formationText(scalable(info.formation), ": ", ", ", "none")},
		{"Stack", app.Stack.Name},
		{"Idle timeout", app.IdleTimeout},
		{"Maintenance", map[bool]string{true: "on"}[app.Maintenance]},
	})
}

// size writes a number of bytes as Heroku does: 5 MB, of 1024 times 1024. It is
// empty if nobody knows.
func size(bytes *int64) string {
	if bytes == nil {
		return ""
	}
	n, unit := float64(*bytes), 0
	units := []string{"B", "KB", "MB", "GB", "TB"}
	for n >= 1024 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return fmt.Sprintf("%.0f %s", n, units[unit])
}

func (c *cli) printInfoShell(info appInfo) {
	app := info.App
	types := map[string]int{}
	for _, d := range info.Dynos {
		types[d.Type]++
	}
	var dynos []string
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		dynos = append(dynos, fmt.Sprintf("%s: %d", kind, types[kind]))
	}
	for _, f := range []field{
		{"auto_cert_mgmt", strconv.FormatBool(app.ACM)},
		{"collaborators", strings.Join(info.others(), ",")},
		{"git_url", app.GitURL},
		{"web_url", app.WebURL},
		{"repo_size", size(app.RepoSize)},
		{"slug_size", size(app.SlugSize)},
		{"owner", app.Owner.Email},
		{"region", app.Region.Name},
		{"dynos", "{ " + strings.Join(dynos, ", ") + " }"},
		{"stack", app.Stack.Name},
		{"idle_timeout", app.IdleTimeout},
	} {
		c.printf("%s=%s\n", f.name, shellQuote(f.value))
	}
}
