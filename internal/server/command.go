package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

// A usageError is a command line that cannot be understood.
type usageError struct{ error }

// WrongUsage tells the command line to exit with 2.
func (usageError) WrongUsage() {}

// Command is "slipway serve". The API is served through watch, unless it is nil.
func Command(version string, stderr io.Writer, watch func(http.Handler) http.Handler) *cobra.Command {
	s := &Settings{watchAPI: watch}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Receive pushes, build, release and run",
		Long: `Run the server: git over HTTP and SSH, builds, the registry of the images, and
what was released: dynos, and the router that takes requests to them.

Every setting is a flag --x-y, an environment variable SLIPWAY_X_Y (repeatable
ones take one entry a line) and a key x-y in the config file. The flag wins,
then the environment, then the file.

The first start writes a token to DATA/admin-token. SSH keys are added with
"slipway keys:add", or written to DATA/authorized_keys. A backup needs
DATA/secret-key too, which config vars are sealed with.`,
		Example: `  slipway serve
  slipway serve --data /var/lib/slipway --http 0.0.0.0:5000 --ssh 0.0.0.0:2222 --url http://slipway.example:5000
  slipway serve --domain apps.example --https 0.0.0.0:443 --http 0.0.0.0:80 --acme-email me@example.com
  slipway serve --database postgres://slipway@db.example/slipway --dyno-reach db.example:5432
  slipway serve --build-env PIP_INDEX_URL=https://pypi.example/simple
  slipway serve --build-env PIP_INDEX_URL=http://127.0.0.1:8080/simple --build-reach 127.0.0.1:8080`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("slipway serve takes no argument %q: see slipway serve --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.complete(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			if s.Data == "" {
				return errors.New("there is no home directory to keep data in: give --data DIR")
			}
			log, err := newLogger(s.LogFormat, s.LogLevel, stderr)
			if err != nil {
				return err
			}
			return run(cmd.Context(), s, version, log)
		},
	}
	s.register(cmd.Flags())
	return cmd
}
