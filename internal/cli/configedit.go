package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

func (c *cli) configEdit() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config:edit [NAME]",
		Short:   "Change config vars in your editor ($VISUAL or $EDITOR), or the value of one",
		Example: "  EDITOR=nano slipway config:edit -a hello\n  slipway config:edit CERTIFICATE -a hello",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, name []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			before, err := c.client().Config(cmd.Context(), app)
			if err != nil {
				return err
			}
			after := maps.Clone(before)
			if len(name) > 0 {
				after[name[0]], err = c.editValue(cmd, before[name[0]])
			} else {
				after, err = c.editVars(cmd, app, before)
			}
			if err != nil {
				return err
			}
			changes := changed(before, after)
			if len(changes) > 0 {
				return c.changeConfig(cmd, changes)
			}
			if c.json {
				return c.printJSON(before)
			}
			c.printf("No changes.\n")
			return nil
		},
	}
	return c.completeArgs(c.withJSON(c.withApp(cmd)), false, c.varNames(""))
}

// editValue lets the person change one value, which is the whole file. The end of
// its last line is the editor's, unless there was one before.
func (c *cli) editValue(cmd *cobra.Command, value string) (string, error) {
	text, err := c.edit(cmd, value)
	if err == nil && !strings.HasSuffix(value, "\n") {
		text = strings.TrimSuffix(text, "\n")
	}
	return text, err
}

func (c *cli) editVars(cmd *cobra.Command, app string, before map[string]string) (map[string]string, error) {
	text, err := c.edit(cmd, editable(app, before))
	if err != nil {
		return nil, err
	}
	return parseEdited(text)
}

// changed is what makes after of before; nil removes a config var.
func changed(before, after map[string]string) map[string]*string {
	changes := map[string]*string{}
	for name, value := range after {
		if old, had := before[name]; !had || old != value {
			changes[name] = &value
		}
	}
	for name := range before {
		if _, kept := after[name]; !kept {
			changes[name] = nil
		}
	}
	return changes
}

// editable writes config vars one a line. Values that a line cannot hold as they
// are stand in double quotes.
func editable(app string, vars map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Config vars of %s: one NAME=VALUE a line. Remove a line to remove its config var.\n", app)
	b.WriteString("# A value in double quotes may have \\n, \\t, \\\" and \\\\ in it.\n")
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		value := vars[name]
		if strings.HasPrefix(value, `"`) || strings.TrimSpace(value) != value || strings.ContainsFunc(value, unicode.IsControl) {
			value = strconv.Quote(value)
		}
		b.WriteString(name + "=" + value + "\n")
	}
	return b.String()
}

// parseEdited reads what editable writes. Errors name a line, and no value.
func parseEdited(text string) (map[string]string, error) {
	vars := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("line %d is no NAME=VALUE: nothing was changed", n)
		}
		if strings.HasPrefix(value, `"`) {
			unquoted, err := strconv.Unquote(value)
			if err != nil {
				return nil, fmt.Errorf("the double quotes in line %d do not end, or hold what they cannot: nothing was changed", n)
			}
			value = unquoted
		}
		if _, twice := vars[name]; twice {
			return nil, fmt.Errorf("line %d sets %q again: nothing was changed", n, name)
		}
		vars[name] = value
	}
	return vars, nil
}

// edit lets the person change a text, in a file that nobody else can read.
func (c *cli) edit(cmd *cobra.Command, text string) (_ string, err error) {
	dir, err := os.MkdirTemp("", "slipway-config-")
	if err != nil {
		return "", fmt.Errorf("make a file to edit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "config.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("make a file to edit: %w", err)
	}
	editor := c.Editor
	if editor == "" {
		editor = "vi"
	}
	// A shell takes the command apart, as git's editors are.
	run := exec.CommandContext(cmd.Context(), "sh", "-c", editor+` "$@"`, editor, path)
	run.Stdin, run.Stdout, run.Stderr = c.Stdin, c.Stdout, c.Stderr
	if err := run.Run(); err != nil {
		return "", fmt.Errorf("editor %q: %w: nothing was changed; set EDITOR to another", editor, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read what was edited: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read what was edited: %w", err)
	}
	if len(raw) > maxInput {
		return "", fmt.Errorf("the file is longer than %d bytes: nothing was changed", maxInput)
	}
	return string(raw), nil
}
