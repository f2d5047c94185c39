package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// remoteName is the git remote that "slipway create" adds.
const remoteName = "slipway"

// A remote is a git remote, and the app that its address names.
type remote struct{ name, address, app string }

// git runs git where the person stands.
func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, text)
	}
	return text, nil
}

func inRepository(ctx context.Context) bool {
	_, err := git(ctx, "rev-parse", "--git-dir")
	return err == nil
}

// remotes lists the git remotes that look like those of apps, whoever serves
// them. Where there is no repository there are none.
func remotes(ctx context.Context) []remote {
	out, err := git(ctx, "config", "--get-regexp", `^remote\..*\.url$`)
	if err != nil {
		return nil
	}
	var all []remote
	for line := range strings.Lines(out) {
		key, address, found := strings.Cut(strings.TrimSpace(line), " ")
		name := strings.TrimSuffix(strings.TrimPrefix(key, "remote."), ".url")
		app := appOf(address)
		if !found || app == "" || slices.ContainsFunc(all, func(r remote) bool { return r.name == name }) {
			continue
		}
		all = append(all, remote{name: name, address: address, app: app})
	}
	return all
}

// appOf is the app in the address of a repository: http://HOST/APP.git,
// ssh://git@HOST:PORT/APP.git or git@HOST:APP.git. It is "" for others.
func appOf(address string) string {
	where := address
	if !strings.Contains(address, "://") {
		_, below, found := strings.Cut(address, ":")
		if !found {
			return "" // a directory
		}
		where = "ssh://host/" + strings.TrimPrefix(below, "/")
	}
	u, err := url.Parse(where)
	if err != nil || u.Host == "" {
		return ""
	}
	name := strings.Trim(u.Path, "/")
	if name == "" || path.Base(name) != name {
		return ""
	}
	return strings.TrimSuffix(name, ".git")
}

// hostOf is the host name in an address of a repository, without its port.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Hostname()
	}
	host, _, _ := strings.Cut(address, ":")
	return host[strings.LastIndexByte(host, '@')+1:]
}

// ours are the remotes that lead to the server: those at its host and, for a
// server that goes by several names, those that are named as Slipway or Heroku
// name them.
func (c *cli) ours(ctx context.Context) []remote {
	var own, named []remote
	for _, r := range remotes(ctx) {
		switch host := hostOf(r.address); {
		case atServer(r.address, c.URL):
			own = append(own, r)
		case (r.name == remoteName || r.name == "heroku") && !strings.HasSuffix(host, "heroku.com"):
			named = append(named, r)
		}
	}
	if len(own) > 0 {
		return own
	}
	return named
}

// atServer says whether a repository's address may be the server's: its names for
// this machine are one, but then other servers may be at other ports.
func atServer(address, server string) bool {
	host, own := hostOf(address), hostOf(server)
	if !loopback(host) || !loopback(own) {
		return host == own
	}
	a, err := url.Parse(address)
	b, err2 := url.Parse(server)
	return err != nil || err2 != nil || !strings.HasPrefix(a.Scheme, "http") || a.Port() == b.Port()
}

func loopback(host string) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)
}

// appName is the app that --app names, else the one of the remote that --remote
// names, else $SLIPWAY_APP, else the one that the git remotes name.
func (c *cli) appName(ctx context.Context) (string, error) {
	if c.app != "" {
		return c.app, nil
	}
	if c.remote != "" {
		return c.appOfRemote(ctx, c.remote)
	}
	if c.App != "" {
		return c.App, nil
	}
	if name := configuredRemote(ctx); name != "" {
		return c.appOfRemote(ctx, name)
	}
	all := c.ours(ctx)
	if len(all) == 0 {
		return "", usageError{errors.New(`which app? give -a APP, or stand in a repository with a remote "slipway" (slipway git:remote -a APP adds one)`)}
	}
	for _, r := range all {
		if r.app != all[0].app {
			return "", usageError{fmt.Errorf("which app? The git remotes name several: give -a APP or -r REMOTE, of %s", remotesText(all))}
		}
	}
	return all[0].app, nil
}

func (c *cli) appOfRemote(ctx context.Context, name string) (string, error) {
	all := remotes(ctx)
	for _, r := range all {
		if r.name == name {
			return r.app, nil
		}
	}
	if len(all) == 0 {
		return "", usageError{fmt.Errorf("there is no git remote %q: slipway git:remote -a APP -r %s adds it", name, shellQuote(name))}
	}
	return "", usageError{fmt.Errorf("there is no git remote %q of an app: there are %s", name, remotesText(all))}
}

// remotesText lists remotes as Heroku does: APP (REMOTE).
func remotesText(all []remote) string {
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = fmt.Sprintf("%s (%s)", r.app, r.name)
	}
	return strings.Join(texts, ", ")
}

// setRemote makes a git remote lead to an address. The rest are arguments of
// "git remote add".
func setRemote(ctx context.Context, name, address string, rest ...string) error {
	verb := []string{"remote", "add"}
	if hasRemote(ctx, name) {
		verb = []string{"remote", "set-url"}
	}
	// Behind the two dashes nothing is an option, whatever it is called.
	_, err := git(ctx, append(append(verb, rest...), "--", name, address)...)
	return err
}

func hasRemote(ctx context.Context, name string) bool {
	_, err := git(ctx, "remote", "get-url", "--", name)
	return err == nil
}

// forgetRemotes removes the git remotes of an app that is no more.
func (c *cli) forgetRemotes(ctx context.Context, app, address string) error {
	for _, r := range c.ours(ctx) {
		if r.address != address && r.app != app {
			continue
		}
		if _, err := git(ctx, "remote", "remove", r.name); err != nil {
			return err
		}
	}
	return nil
}
