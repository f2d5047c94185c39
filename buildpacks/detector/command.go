package detector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"
	"github.com/buildpacks/lifecycle/buildpack"
	"github.com/buildpacks/lifecycle/env"
	"github.com/buildpacks/lifecycle/launch"

	"slipway/buildpacks/sandbox"
)

// Where a builder has things (Platform Interface Specification), and so where
// scripts in a sandbox find them, whatever they are on this machine.
const (
	insideApp      = sandbox.AppDir
	insidePlatform = "/platform"
	insidePlan     = "/tmp/plan/plan.toml"
	insideHome     = "/home/cnb"
	usualPath      = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// command is how a module's bin/detect is run, as the lifecycle runs it (its
// buildpack.DefaultDetectExecutor).
func (x *executor) command(m *module, in buildpack.DetectInputs) (sandbox.Command, func(), error) {
	o := x.run.options
	c := sandbox.Command{
		App:    x.app,
		Limits: sandbox.Limits{Timeout: o.Timeout, Memory: o.Memory, Pids: o.Pids, Output: o.Output, Collect: maxDescriptor},
	}
	cleanup := func() {}
	app, dir, platform := x.app, m.dir, x.env
	if x.plain {
		plan, err := os.MkdirTemp("", "slipway-plan-")
		if err != nil {
			return c, nil, fmt.Errorf("make a directory for the plan: %w", err)
		}
		cleanup = func() { _ = removeAll(plan) } // a temporary file, and nobody to tell
		c.Collect = filepath.Join(plan, "plan.toml")
	} else {
		app, dir, platform, c.Collect = insideApp, m.insideDir(), insidePlatform, insidePlan
		c.Mounts = append(c.Mounts, sandbox.Mount{Source: x.env, Target: insidePlatform})
		if m.inside == "" {
			c.Mounts = append(c.Mounts, sandbox.Mount{Source: m.dir, Target: dir})
		}
	}
	c.Args = []string{path.Join(dir, "bin", "detect"), platform, c.Collect}
	if m.classic {
		c.Args = []string{path.Join(dir, "bin", "detect"), app}
	}
	var err error
	c.Env, err = x.environ(m, in, places{dir: dir, platform: platform, plan: c.Collect})
	if err != nil {
		cleanup()
		return c, nil, err
	}
	return c, cleanup, nil
}

// places are where a script finds what it is given.
type places struct{ dir, platform, plan string }

func (x *executor) environ(m *module, in buildpack.DetectInputs, at places) ([]string, error) {
	build := in.Env
	if !x.plain {
		build = env.NewBuildEnv(x.baseEnviron(in.Env.List()))
	}
	platform := x.env
	if m.clearEnv() || m.classic {
		platform = ""
	}
	environ, err := build.WithOverrides(platform, "")
	if err != nil {
		return nil, fmt.Errorf("read build environment: %w", err)
	}
	if m.classic {
		return environ, nil
	}
	key := buildpack.EnvBuildpackDir
	if m.kind == buildpack.KindExtension {
		key = buildpack.EnvExtensionDir
	}
	environ = append(environ, key+"="+at.dir)
	if m.apiAtLeast("0.8") {
		environ = append(environ, buildpack.EnvPlatformDir+"="+at.platform, buildpack.EnvBuildPlanPath+"="+at.plan)
	}
	if m.apiAtLeast("0.10") {
		environ = append(environ, in.TargetEnv...)
	}
	return environ, nil
}

// baseEnviron is the environment of a container of the builder. For this
// machine's programs it is its PATH, and nothing else of the person's.
func (x *executor) baseEnviron(ours []string) []string {
	environ := []string{"HOME=" + insideHome}
	if x.run.builder.root != "" {
		return append(environ, x.run.builder.environ...)
	}
	for _, pair := range ours {
		if strings.HasPrefix(pair, "PATH=") {
			return append(environ, pair)
		}
	}
	return append(environ, "PATH="+usualPath)
}

// insideDir is where a sandbox has a module.
func (m *module) insideDir() string {
	if m.inside != "" {
		return m.inside
	}
	folder := "/cnb/buildpacks"
	if m.kind == buildpack.KindExtension {
		folder = "/cnb/extensions"
	}
	version := m.info().Version
	if version == "" {
		version = "none"
	}
	// What is written there is the person's; it must not lead elsewhere.
	return path.Join(folder, path.Base("/"+launch.EscapeID(m.info().ID)), path.Base("/"+launch.EscapeID(version)))
}

// outputs makes of an outcome what the lifecycle would.
func outputs(m *module, done *sandbox.Outcome, o Options, res *Result) buildpack.DetectOutputs {
	out := buildpack.DetectOutputs{Code: done.ExitCode, Output: done.Output}
	switch {
	case done.StartErr != "":
		out.Code, out.Err = -1, errors.New(startText(m, done.StartErr))
		return out
	case done.TimedOut:
		out.Code, out.Err = -1, fmt.Errorf("timed out after %s: a bin/detect only looks at files, leave the rest to bin/build", o.Timeout)
		return out
	case done.OutOfMemory:
		out.Code, out.Err = -1, fmt.Errorf("used more than %d MiB of memory, and was stopped", o.Memory>>20)
		return out
	case done.Signal != 0:
		out.Code = -1
		res.Err = fmt.Sprintf("killed by signal %d (%s)", done.Signal, syscall.Signal(done.Signal))
		return out
	case m.classic && out.Code != codePassed:
		out.Code = 100
		return out
	case out.Code != codePassed || m.classic:
		return out
	}
	if done.CollectErr != "" {
		out.Code, out.Err = -1, fmt.Errorf("read the plan: %s", done.CollectErr)
		return out
	}
	res.Unknown = unknownKeys(done.Collected)
	return decoded(m, done.Collected, out)
}

// startText says why a bin/detect could not be started.
func startText(m *module, reason string) string {
	file := filepath.Join(m.dir, "bin", "detect")
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "it has no bin/detect: add one"
	case err == nil && info.IsDir():
		return "its bin/detect is a directory: it has to be a program"
	case err == nil && info.Mode()&0o111 == 0:
		return "its bin/detect is not executable: chmod +x bin/detect"
	case err == nil && strings.Contains(reason, "no such file"):
		return "its bin/detect cannot be started: the program that its first line names (#!…) is not there"
	case err == nil && strings.Contains(reason, "exec format"):
		return "its bin/detect cannot be started: it is no program for this machine; a script begins with #!"
	}
	return "its bin/detect cannot be started: " + reason
}

// fixedPlan is the answer of an extension without a bin/detect: it passes, with
// the plan that lies in it.
func fixedPlan(m *module) buildpack.DetectOutputs {
	file := filepath.Join(m.dir, "detect", "plan.toml")
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return decoded(m, nil, buildpack.DetectOutputs{})
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxDescriptor) {
		err = errors.New("it is no file, or too long")
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return buildpack.DetectOutputs{Code: -1, Err: fmt.Errorf("read detect/plan.toml: %w", withoutPath(err))}
	}
	return decoded(m, data, buildpack.DetectOutputs{})
}

// decoded reads a plan into out, with the lifecycle's rules.
func decoded(m *module, plan []byte, out buildpack.DetectOutputs) buildpack.DetectOutputs {
	printed := out.Output
	if _, err := toml.NewDecoder(bytes.NewReader(plan)).Decode(&out); err != nil {
		return buildpack.DetectOutputs{Code: -1, Err: fmt.Errorf("read the plan that it wrote: %w", err), Output: printed}
	}
	out.Output = printed
	for _, sections := range append([]buildpack.PlanSections{out.PlanSections}, out.Or...) {
		for _, r := range sections.Requires {
			if r.Version != "" {
				out.Err = fmt.Errorf(`its plan requires %q with a "version" key, which is not supported: use metadata.version`, r.Name)
				out.Code = -1
			}
		}
		if m.kind == buildpack.KindExtension && len(sections.Requires) > 0 {
			out.Err = errors.New(`its plan has "requires", which an extension must not have`)
			out.Code = -1
		}
	}
	return out
}
