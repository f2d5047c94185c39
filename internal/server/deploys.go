package server

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"

	"slipway/internal/deploy"
	"slipway/internal/outputs"
	"slipway/internal/sources"
)

// defaultSource is what --max-source 0 means, as in the builder.
const defaultSource = 1 << 30

// openDeploys makes what takes pushes and tarballs to releases, and where it
// keeps what they print.
func (s *server) openDeploys() error {
	most, err1 := bytesOf("max-output", s.set.MaxOutput)
	source, err2 := bytesOf("max-source", s.set.MaxSource)
	if err1 == nil && most <= 0 {
		err1 = errors.New("--max-output: it must be more than 0")
	}
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	source = cmp.Or(source, defaultSource)
	var err error
	s.outputs, err = outputs.Open(outputs.Config{
		Dir: filepath.Join(s.set.Data, "outputs"), MaxBytes: most, Keep: s.set.KeepOutputs, Log: s.log,
	})
	if err != nil {
		return err
	}
	// Among the temporary files, which no start leaves lying.
	s.sources, err = sources.Open(sources.Config{Dir: filepath.Join(s.set.Data, "tmp", "sources"), MaxBytes: source})
	if err != nil {
		return err
	}
	s.dep = deploy.New(deploy.Config{
		Releases: s.store, Formations: s.store, Builds: s.store, Buildpacks: s.store, Outputs: s.outputs,
		Builder: s.build, BuilderName: s.set.Builder, Slugs: s.slugs, Dynos: s.dynos, Logs: appLogs{s.logs},
		Registry: s.addrs.registry, Image: s.image, WebURL: s.addrs.web, Stack: stack, Log: s.log,
		Source: sources.Limits{Bytes: source, Files: s.set.MaxSourceFiles},
		TakeTurn: func(ctx context.Context, app string, onWait func()) (func(), error) {
			return s.git.TakeTurn(ctx, app, onWait)
		},
	})
	return nil
}
