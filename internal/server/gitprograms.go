package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"slipway/gitserver"
)

// Exit statuses of git's own programs.
const (
	gitFailed = 128
	gitUsage  = 129
)

// A gitExitError is the exit status of a program that stands for one of git's. What
// went wrong was said.
type gitExitError int

func (e gitExitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Exit is the program's exit status.
func (e gitExitError) Exit() int { return int(e) }

// GitPrograms are "slipway receive-pack" and "slipway upload-pack", which serve
// one repository on standard input and output as git's own programs do.
func GitPrograms(version string, in io.Reader, out, stderr io.Writer) []*cobra.Command {
	run := func(ctx context.Context, l gitserver.Local, limits *gitSettings) error {
		cfg, err := limits.config()
		if err == nil {
			cfg.Agent, cfg.PushTimeout = "slipway/"+version, -1
			l.Protocol, l.Stderr = os.Getenv("GIT_PROTOCOL"), stderr
			err = gitserver.ServeLocal(ctx, cfg, l, in, out)
		}
		if err != nil {
			fmt.Fprintf(stderr, "fatal: %v\n", err)
			return gitExitError(gitFailed)
		}
		return nil
	}
	return []*cobra.Command{receiveProgram(stderr, run), uploadProgram(stderr, run)}
}

type runProgram func(ctx context.Context, l gitserver.Local, limits *gitSettings) error

func receiveProgram(stderr io.Writer, run runProgram) *cobra.Command {
	var hooks, quiet bool
	cmd := gitProgram(stderr, gitserver.Local{Push: true}, func(ctx context.Context, l gitserver.Local, limits *gitSettings) error {
		if hooks {
			l.Hooks = &gitserver.Hooks{Env: os.Environ()}
		}
		return run(ctx, l, limits)
	})
	cmd.Use = "receive-pack DIR"
	cmd.Short = "Receive one push into a repository, as git receive-pack does"
	cmd.Long = `Receive one push into a bare repository, on standard input and output, as
git receive-pack does. Git starts it: over ssh, from a web server, or for a path.

The repository's configuration is not obeyed. Its hooks run with --hooks only:
pre-receive, update, reference-transaction, post-receive and post-update.`
	cmd.Example = `  git push --receive-pack='slipway receive-pack' /srv/git/shop.git main
  git push --receive-pack='slipway receive-pack --hooks' host:/srv/git/shop.git main`
	cmd.Flags().BoolVar(&hooks, "hooks", false, "run the repository's hooks")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "taken as git does; there is no progress to leave out")
	return cmd
}

func uploadProgram(stderr io.Writer, run runProgram) *cobra.Command {
	var strict bool
	cmd := gitProgram(stderr, gitserver.Local{}, func(ctx context.Context, l gitserver.Local, limits *gitSettings) error {
		l.Strict = strict
		return run(ctx, l, limits)
	})
	cmd.Use = "upload-pack DIR"
	cmd.Short = "Serve one fetch from a repository, as git upload-pack does"
	cmd.Long = `Serve one clone or fetch from a repository, on standard input and output, as
git upload-pack does. Git starts it: over ssh, from a web server, or for a path.

The repository's configuration is not obeyed.`
	cmd.Example = `  git clone --upload-pack='slipway upload-pack' file:///srv/git/shop.git
  git clone --upload-pack='slipway upload-pack' host:/srv/git/shop.git`
	cmd.Flags().BoolVar(&strict, "strict", false, "do not try DIR/.git and DIR.git if DIR is no repository")
	return cmd
}

// gitProgram is what both have in common.
func gitProgram(stderr io.Writer, l gitserver.Local, run runProgram) *cobra.Command {
	limits, bounds := &gitSettings{}, pflag.NewFlagSet("limits", pflag.ContinueOnError)
	var oldAdvertise bool
	usage := func(cmd *cobra.Command, err error) error {
		fmt.Fprintf(stderr, "%v: see %s --help\n", err, cmd.CommandPath())
		return gitExitError(gitUsage)
	}
	cmd := &cobra.Command{
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, errors.New("give one directory"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(fill(bounds, os.LookupEnv, "", nil), limits.check()); err != nil {
				return usage(cmd, err)
			}
			l.Dir, l.Advertise = args[0], l.Advertise || oldAdvertise
			return run(cmd.Context(), l, limits)
		},
	}
	cmd.SetFlagErrorFunc(usage)
	f := cmd.Flags()
	f.BoolVar(&l.Stateless, "stateless-rpc", false, "one request, as a web server hands it over")
	f.BoolVar(&l.Advertise, "http-backend-info-refs", false, "only say what there is, for a web server")
	f.BoolVar(&oldAdvertise, "advertise-refs", false, "the old name of --http-backend-info-refs")
	limits.registerPush(bounds)
	f.AddFlagSet(bounds)
	return cmd
}
