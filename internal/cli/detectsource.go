package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"slipway/buildpacks/detector"
	"slipway/internal/local"
	"slipway/internal/workbench"
)

// maxEnvFile bounds a file of variables.
const maxEnvFile = 1 << 20

// newDetecting makes a run of the flags and arguments; what it complains of is
// wrong usage.
func (c *cli) newDetecting(flags *pflag.FlagSet, f detectFlags, args []string) (*detecting, error) {
	d := &detecting{cli: c, detectFlags: f, dirs: args}
	f.shrink = f.shrink || f.shrinkTo != ""
	d.shrink = f.shrink
	if err := f.check(); err != nil {
		return nil, usageError{err}
	}
	var err error
	if f.compare.given {
		if d.second, d.dirs, err = f.compare.take(args); err != nil {
			return nil, err
		}
	}
	if len(d.dirs) == 0 && d.test == "" {
		d.dirs = []string{"."}
	}
	d.heading = strings.Join(append([]string{"slipway detect"}, d.dirs...), " ")
	if len(d.dirs) > 3 {
		d.heading = fmt.Sprintf("slipway detect: %s to %s", d.dirs[0], d.dirs[len(d.dirs)-1])
	}
	if d.test != "" {
		d.heading = "slipway detect --test " + d.test
	}
	d.given = flags.Changed("builder") || flags.Changed("buildpack")
	d.source = detector.Source{Builder: f.builder, Buildpacks: f.buildpacks, Target: f.target, Cache: c.detectCache(), Progress: c.Stderr}
	memory, err := units.RAMInBytes(f.memory)
	if err != nil || memory <= 0 {
		return nil, usageError{fmt.Errorf("--memory %q is no size: write one such as 512MiB", f.memory)}
	}
	if d.whatIf, err = workbench.ParseWhatIf(f.with, f.without); err != nil {
		return nil, usageError{err}
	}
	env, err := d.variables()
	if err != nil {
		return nil, err
	}
	d.options = detector.Options{Env: env, All: f.all, NoSandbox: f.plainly, Timeout: f.timeout, Memory: memory}
	return d, nil
}

// detectCache is where images that were fetched for detection are kept.
func (c *cli) detectCache() string {
	if c.CacheDir == "" {
		return ""
	}
	return filepath.Join(c.CacheDir, "slipway", "detect")
}

// variables are those of the build: --env wins over --env-file.
func (d *detecting) variables() (map[string]string, error) {
	env := map[string]string{}
	for _, name := range d.envFiles {
		if err := d.readEnvFile(name, env); err != nil {
			return nil, err
		}
	}
	for _, pair := range d.env {
		name, value, assigned := strings.Cut(pair, "=")
		if name == "" || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
			return nil, usageError{errors.New("write each variable as --env NAME=VALUE")}
		}
		if !assigned {
			found := false
			if value, found = d.variable(name); !found {
				return nil, usageError{fmt.Errorf("--env %s: the environment has no such variable: write --env %s=VALUE", name, name)}
			}
		}
		env[name] = value
	}
	return env, nil
}

// variable is a variable of the environment.
func (c *cli) variable(name string) (value string, found bool) {
	for _, pair := range c.Environ {
		if rest, ok := strings.CutPrefix(pair, name+"="); ok {
			value, found = rest, true
		}
	}
	return value, found
}

func (d *detecting) readEnvFile(name string, env map[string]string) error {
	f, err := os.Open(name)
	if err != nil {
		return usageError{err}
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxEnvFile+1))
	switch {
	case err != nil:
		return fmt.Errorf("read --env-file: %w", err)
	case len(data) > maxEnvFile:
		return fmt.Errorf("%s is larger than %s, which no file of variables is: give another to --env-file", name, units.BytesSize(maxEnvFile))
	}
	parsed, err := local.ParseEnv(name, data)
	if err != nil {
		return err
	}
	for _, warning := range parsed.Warnings {
		d.note("%s", warning)
	}
	for key, value := range parsed.Vars {
		if strings.ContainsAny(key, "/\x00") || key == "." || key == ".." {
			return fmt.Errorf("%s has a variable of the name %q, which no file can have: correct it", name, key)
		}
		env[key] = value
	}
	return nil
}
