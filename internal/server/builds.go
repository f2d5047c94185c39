package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"
	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/buildpacks/docker"
	"slipway/buildpacks/embedded"
	"slipway/internal/state"
	"slipway/slugs"
)

// builds is the builder with the engine that it runs on.
type builds struct {
	*build.Builder
	engine   closingEngine
	runImage string // tag of the bundled run image in slugs' system repository, "" if there is none
}

type closingEngine interface {
	build.Engine
	Close() error
}

// runRepository holds the bundled builder's run image.
const runRepository = slugs.SystemPrefix + "run"

// openBuilds chooses the engine, puts the bundled run image into the registry,
// and makes the builder ready.
func openBuilds(ctx context.Context, s *server) (*builds, error) {
	conf, err := s.buildConfig()
	if err != nil {
		return nil, err
	}
	b := &builds{}
	if conf.Builder == build.Bundled {
		if conf.Bundled, err = s.set.bundledBuilder(); err != nil {
			return nil, err
		}
		if b.runImage, err = importRunImage(ctx, s.slugs, conf.Bundled); err != nil {
			return nil, err
		}
		conf.RunImage = s.addrs.registry + "/" + runRepository + ":" + b.runImage
	}
	if b.engine, err = s.openEngine(ctx); err != nil {
		return nil, err
	}
	conf.Engine = b.engine
	if b.Builder, err = build.New(ctx, conf); err != nil {
		return nil, errors.Join(err, b.engine.Close())
	}
	return b, nil
}

func (s *server) buildConfig() (build.Config, error) {
	env, err := s.set.buildEnv()
	if err != nil {
		return build.Config{}, err
	}
	memory, err1 := bytesOf("build-memory", s.set.BuildMemory)
	source, err2 := bytesOf("max-source", s.set.MaxSource)
	disk, err3 := bytesOf("build-disk", s.set.BuildDisk)
	if err3 == nil && disk <= 0 {
		err3 = errors.New("--build-disk: it must be more than 0")
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return build.Config{}, err
	}
	return build.Config{
		Registry: s.addrs.registry, DialRegistry: s.dialRegistry,
		Builder: s.set.Builder, Trusted: s.set.TrustedBuilder, Allowed: s.set.AllowedBuilder,
		LifecycleImage: s.set.LifecycleImage, Env: env, Reach: s.set.BuildReach,
		CPUs: s.set.BuildCPUs, Memory: memory, Pids: s.set.BuildPids, Timeout: s.set.BuildTimeout,
		Disk: disk, DiskFiles: s.set.BuildDiskFiles,
		SourceBytes: source, SourceFiles: s.set.MaxSourceFiles,
		Dir: s.set.Data, Log: s.log,
	}, nil
}

// openEngine opens the engine that --engine names. auto takes Docker if a
// daemon answers.
func (s *server) openEngine(ctx context.Context) (closingEngine, error) {
	dockerConf := docker.Config{Host: s.dockerHost(), Dir: s.set.Data, Log: s.log}
	switch s.set.Engine {
	case "docker":
		return docker.Open(ctx, dockerConf)
	case "embedded":
		return s.openEmbedded(ctx)
	case "auto":
		eng, err := docker.Open(ctx, dockerConf)
		if err == nil {
			s.log.Info("engine chosen: docker, since a daemon answers")
			return eng, nil
		}
		s.log.Info("engine chosen: embedded, since no Docker daemon can be used", zap.NamedError("docker", err))
		return s.openEmbedded(ctx)
	}
	return nil, fmt.Errorf("--engine %q: write auto, embedded or docker", s.set.Engine)
}

func (s *server) dockerHost() string { return cmp.Or(s.set.DockerHost, os.Getenv("DOCKER_HOST")) }

func (s *server) openEmbedded(ctx context.Context) (closingEngine, error) {
	return embedded.Open(ctx, embedded.Config{Dir: filepath.Join(s.set.Data, "engine"), Log: s.log})
}

// importRunImage puts the run image of the bundled builder into the registry,
// tagged with the builder's id, and returns the tag.
func importRunImage(ctx context.Context, reg *slugs.Registry, dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "id"))
	if err != nil {
		return "", fmt.Errorf("read bundled builder: %w: make it again with make builder", err)
	}
	id := strings.TrimSpace(string(raw))
	if _, err := reg.Resolve(ctx, runRepository, id); err == nil {
		return id, nil
	}
	img, err := build.BundledImage(dir, "run")
	if err != nil {
		return "", fmt.Errorf("read run image of the bundled builder: %w", err)
	}
	return id, reg.Import(ctx, img, runRepository, id)
}

// checkBuildpacks is the builder's check of names of buildpacks, in words of the
// state.
func (s *server) checkBuildpacks(names []string) ([]string, error) {
	stored, err := s.build.CheckBuildpacks(names)
	if told, is := errors.AsType[*build.Error](err); is {
		return nil, state.Invalid("%s", strings.ReplaceAll(told.Text, "\n", " "))
	}
	return stored, err
}

// wants says whether a system image is in use.
func (b *builds) wants(repository, tag string) bool {
	return repository == runRepository && tag == b.runImage
}

// Close stops the engine.
func (b *builds) Close() error { return errors.Join(b.Builder.Close(), b.engine.Close()) }

// bytesOf parses a size such as 4GiB.
func bytesOf(setting, text string) (int64, error) {
	n, err := units.RAMInBytes(text)
	if err != nil {
		return 0, fmt.Errorf("--%s %q: write a size such as 512MiB or 4GiB", setting, text)
	}
	return n, nil
}
