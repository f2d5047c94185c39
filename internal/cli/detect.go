package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"slipway/buildpacks/detector"
	"slipway/internal/workbench"
)

// detect is the verb for those who write buildpacks, and for those who wonder
// what a push would make of their app.
func (c *cli) detect() *cobra.Command {
	var f detectFlags
	cmd := &cobra.Command{
		Use:   "detect [DIR...]",
		Short: "Say what an app is, and which buildpacks would build it, and why",
		Long: `Say what the apps in directories are and which buildpacks would build them, and
why: each group of the builder with the answer of each of its buildpacks, the plan
they agree on or why they do not, the files that decided, and what else matches.
No server and no Docker is needed, and nothing is built or changed.

The builder is the bundled one, by the rules of a push. --builder takes another:
an image, the directory or the archive of one, or a builder.toml. --buildpack takes
a directory, an archive or an image, and may be repeated: together they are one
group. Classic buildpacks (bin/detect BUILD_DIR) run beside Cloud Native ones.
Detection has the semantics of the CNB lifecycle's detector. Its bin/detect runs
without network and with a time and memory limit, as far as this machine allows.

With --test each directory below TREE that has an expectation is a case: a file
` + workbench.ExpectationFile + ` in the app, or expected.json beside a directory app.
--update writes what is detected into them, and makes one for DIR. --compare shows
which apps two builders answer differently.

The exit code is 0 if all is detected and as expected, 1 if something is not, 2 for
wrong usage. What the lifecycle's detector would exit with is exit_code in --json.`,
		Example: `  slipway detect
  slipway detect apps/* --html report.html
  slipway detect --json | jq .version_resolved
  slipway detect --buildpack ./my-buildpack --buildpack ./other ~/src/shop
  slipway detect --builder builder.toml --env BP_NODE_VERSION=22 shop
  slipway detect --with runtime.txt=python-3.12.4 --without Pipfile.lock
  slipway detect --buildpack . --test testdata --junit detect.xml
  slipway detect --update testdata/new-case
  slipway detect --compare paketobuildpacks/builder-jammy-base builder.toml --test testdata
  slipway detect --shrink --shrink-to /tmp/small shop
  slipway detect --watch --lint --buildpack . testdata/node`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := c.newDetecting(cmd.Flags(), f, args)
			if err != nil {
				return err
			}
			return d.run(cmd.Context())
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	f.bind(cmd.Flags())
	c.completeFlag(cmd, "target", func(context.Context) ([]string, error) { return []string{"linux/amd64", "linux/arm64"}, nil })
	return c.withJSON(cmd)
}

// detectFlags are the flags of slipway detect.
type detectFlags struct {
	builder, target       string
	buildpacks            []string
	env, envFiles         []string
	all, verbose, plainly bool
	timeout               time.Duration
	memory                string
	jobs                  int
	junit, html           string
	with, without         []string
	test                  string
	update                bool
	compare               *pairFlag
	shrink                bool
	shrinkTo              string
	watch, lint           bool
	slow                  time.Duration
}

func (f *detectFlags) bind(flags *pflag.FlagSet) {
	f.compare = &pairFlag{flags: flags}
	flags.StringVar(&f.builder, "builder", "", "bundled, an image, the directory or archive of one, or a builder.toml (default: bundled)")
	flags.StringArrayVar(&f.buildpacks, "buildpack", nil, "a directory, an archive or an image; repeatable: they are one group, in this order")
	flags.StringVar(&f.target, "target", "", "what to detect for, as os/arch or os/arch/variant (default: linux on this machine)")
	flags.StringArrayVarP(&f.env, "env", "e", nil, "a variable of the build, K=V, or K to take it from the environment; repeatable")
	flags.StringArrayVar(&f.envFiles, "env-file", nil, "a file of such variables, in the dialect of .env; repeatable")
	flags.BoolVar(&f.all, "all", true, "go on behind the first group that passes, to tell what also matches")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "tables for several directories too, and whole outputs")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long one bin/detect may take")
	flags.StringVar(&f.memory, "memory", "512MiB", "how much memory one bin/detect may take, with all it starts")
	flags.BoolVar(&f.plainly, "no-sandbox", false, "run each bin/detect as it is, with network and without limits")
	flags.IntVar(&f.jobs, "jobs", 0, "how many directories to detect at once (default: one for each processor)")
	flags.StringVar(&f.junit, "junit", "", "write the outcome as JUnit's XML to this `file`")
	flags.StringVar(&f.html, "html", "", "write the outcome as a page to this `file`")
	flags.StringArrayVar(&f.with, "with", nil, "as if the app had this file, `FILE=CONTENT`, or FILE=@PATH; repeatable")
	flags.StringArrayVar(&f.without, "without", nil, "as if the app had not this file or directory; repeatable")
	flags.StringVar(&f.test, "test", "", "compare with the expectations below this `tree`")
	flags.BoolVar(&f.update, "update", false, "write what is detected into the expectations")
	flags.Var(f.compare, "compare", "tell which apps the builders A and B answer differently")
	flags.BoolVar(&f.shrink, "shrink", false, "look for the smallest set of files that is detected in the same way")
	flags.StringVar(&f.shrinkTo, "shrink-to", "", "write that set of files to this new `directory`")
	flags.BoolVarP(&f.watch, "watch", "w", false, "again whenever the app, a buildpack or the tree changes, until Ctrl-C")
	flags.BoolVar(&f.lint, "lint", false, "detect twice, look at the buildpacks' files, and fail where something is wrong with them")
	flags.DurationVar(&f.slow, "slow", time.Second, "a bin/detect that takes longer gets a remark")
}

// A pairFlag takes two words: its value, and the first argument behind it.
type pairFlag struct {
	flags *pflag.FlagSet
	first string
	at    int // how many arguments stood before it
	given bool
}

func (p *pairFlag) String() string { return "" }
func (p *pairFlag) Type() string   { return "A B" }

// Set is called when the flag is come upon, with the arguments before it known.
func (p *pairFlag) Set(value string) error {
	p.first, p.at, p.given = value, p.flags.NArg(), true
	return nil
}

// take takes the second word out of the arguments.
func (p *pairFlag) take(args []string) (second string, rest []string, err error) {
	if p.at >= len(args) {
		return "", nil, usageError{errors.New("--compare takes two builders: write --compare A B")}
	}
	return args[p.at], slices.Delete(slices.Clone(args), p.at, p.at+1), nil
}

// A detecting is one run of slipway detect.
type detecting struct {
	*cli
	detectFlags
	source  detector.Source
	given   bool // the source was named
	options detector.Options
	whatIf  *workbench.WhatIf
	dirs    []string
	second  string // the builder B of --compare
	heading string // the command line, for a page
}

// run does what was asked for, once or at each change.
func (d *detecting) run(ctx context.Context) error {
	if !d.watch {
		ok, err := d.once(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return errors.New("interrupted: what was not shown was not detected")
		case err == nil && !ok:
			return exitError{1}
		}
		return err
	}
	return d.watching(ctx)
}

// once detects and tells whether all is well.
func (d *detecting) once(ctx context.Context) (ok bool, err error) {
	switch {
	case d.shrink:
		return d.shrinking(ctx)
	case d.compare.given:
		return d.comparing(ctx)
	case d.test != "" || d.update:
		return d.testing(ctx)
	default:
		return d.reporting(ctx)
	}
}

// check finds flags that do not go together.
func (f *detectFlags) check() error {
	modes := []string{}
	for name, given := range map[string]bool{"--shrink": f.shrink || f.shrinkTo != "", "--compare": f.compare.given, "--update": f.update} {
		if given {
			modes = append(modes, name)
		}
	}
	slices.Sort(modes)
	if len(modes) > 1 {
		return fmt.Errorf("%s exclude each other: give one of them", strings.Join(modes, " and "))
	}
	for _, wrong := range []struct {
		given bool
		text  string
	}{
		{len(modes) > 0 && !f.update && f.junit+f.html != "", "--junit and --html are for detection and --test: leave them out"},
		{f.shrink && f.test != "", "--shrink is for directories, not for --test: give DIR"},
		{f.watch && (f.shrink || f.update), "--watch goes with neither --shrink nor --update: leave it out"},
		{f.jobs < 0, "--jobs cannot be negative: leave it out for one for each processor"},
		{f.timeout <= 0 || f.slow <= 0, "--timeout and --slow must be positive: give one such as 5s"},
	} {
		if wrong.given {
			return errors.New(wrong.text)
		}
	}
	return nil
}
