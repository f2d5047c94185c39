package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"slipway/internal/wire"
)

// A buildSource is where builds:create takes the source code from.
type buildSource struct {
	dir, tar, url     string
	version, checksum string
	everything        bool // what .gitignore names too
}

func (c *cli) buildsCreate() *cobra.Command {
	var from buildSource
	cmd := &cobra.Command{
		Use:   "builds:create",
		Short: "Build and release a folder or a tarball, without git push",
		Long: `Build and release a folder (the one you stand in by default), a gzipped tarball,
or one that lies elsewhere. The app's git repository stays as it is.

Of a folder in a git repository, what git ignores is left out. The output of the
build is shown; the exit code is 1 if the build fails.`,
		Example: "  slipway builds:create -a hello\n  slipway builds:create --source-tar app.tgz --version v1.3 -a hello\n" +
			"  slipway builds:create --source-url https://example.com/app.tgz -a hello",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := c.appName(cmd.Context())
			if err != nil {
				return err
			}
			return c.createBuild(cmd.Context(), app, from)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from.dir, "source-dir", ".", "the folder to build")
	flags.StringVar(&from.tar, "source-tar", "", "the gzipped tarball to build; - for standard input")
	flags.StringVar(&from.url, "source-url", "", "the address of a gzipped tarball")
	flags.StringVar(&from.version, "version", "", "what to call it in the release, a commit say")
	flags.StringVar(&from.checksum, "checksum", "", `what a tarball must be, "SHA256:…"`)
	flags.BoolVar(&from.everything, "include-vcs-ignore", false, "build what git ignores, too")
	exclusive(cmd, "source-dir", "source-tar", "source-url")
	return c.withJSON(c.withApp(cmd))
}

func (c *cli) createBuild(ctx context.Context, app string, from buildSource) error {
	address := from.url
	if address == "" {
		err := c.doing("Uploading source", func() (_ string, err error) {
			address, err = c.upload(ctx, from)
			return "", err
		})
		if err != nil {
			return err
		}
	}
	create := wire.BuildCreate{SourceBlob: wire.SourceBlob{URL: address}}
	if from.version != "" {
		create.SourceBlob.Version = &from.version
	}
	if from.checksum != "" {
		create.SourceBlob.Checksum = &from.checksum
	}
	b, err := c.client().CreateBuild(ctx, app, create)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(b)
	}
	return c.followBuild(ctx, app, b)
}

// upload sends a tarball, or a folder as one, to the server.
func (c *cli) upload(ctx context.Context, from buildSource) (address string, err error) {
	switch from.tar {
	case "":
		return c.uploadFolder(ctx, from)
	case "-":
		return c.client().Upload(ctx, c.Stdin)
	}
	f, err := os.Open(from.tar)
	if err != nil {
		return "", fmt.Errorf("open the tarball: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return c.client().Upload(ctx, f)
}

// uploadFolder packs a folder while it is sent.
func (c *cli) uploadFolder(ctx context.Context, from buildSource) (address string, err error) {
	files, err := filesOf(ctx, from.dir, from.everything)
	if err != nil {
		return "", err
	}
	r, w := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := packFiles(w, from.dir, files)
		_ = w.CloseWithError(err) // never fails
		packed <- err
	}()
	address, err = c.client().Upload(ctx, r)
	_ = r.Close() // never fails; what packs is told
	if failed := <-packed; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		return "", failed
	}
	return address, err
}
