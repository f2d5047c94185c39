package bundled

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/buildpacks/lifecycle/api"
)

const lifecycleFile = "lifecycle.tar"

// phases are the names by which the lifecycle's one binary is called.
var phases = []string{"analyzer", "builder", "creator", "detector", "exporter", "extender", "rebaser", "restorer"}

// lifecycle compiles the lifecycle's binaries from its module and packs them
// in dir as its own releases are packed. They have a module of their own,
// since they do not compile beside pack's dependencies.
func (b *build) lifecycle(ctx context.Context, dir string) (_ struct{}, err error) {
	b.say("Compiling lifecycle %s", lifecycleVersion)
	out, err := os.MkdirTemp(dir, "bin-")
	if err != nil {
		return struct{}{}, fmt.Errorf("make work directory: %w", err)
	}
	defer removeAll(out, &err)
	flags := fmt.Sprintf("-s -w -buildid= -X %[1]s/cmd.Version=%[2]s -X %[1]s/cmd.SCMRepository=%[1]s -X %[1]s/cmd.SCMCommit=v%[2]s",
		lifecycleModule, lifecycleVersion)
	t := tool{dir: filepath.Join(b.Root, "buildpacks/bundled/lifecycle"), env: goEnv()}
	err = t.run(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", out+"/",
		lifecycleModule+"/cmd/lifecycle", lifecycleModule+"/cmd/launcher")
	if err != nil {
		return struct{}{}, fmt.Errorf("compile lifecycle: %w", err)
	}
	return struct{}{}, packLifecycle(out, filepath.Join(dir, lifecycleFile))
}

// goEnv makes go compile for the images, whatever this machine is set to.
func goEnv() []string {
	return []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOWORK=off", "GOFLAGS="}
}

// packLifecycle packs the two binaries in bin as pack wants a lifecycle.
func packLifecycle(bin, dst string) (err error) {
	f, err := os.Create(dst)
	if err != nil {
		return fmt.Errorf("pack lifecycle: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	tw := tar.NewWriter(f)
	descriptor := []byte(descriptorTOML())
	files := []struct {
		name string
		mode int64
		data []byte
	}{{"lifecycle.toml", 0o644, descriptor}}
	for _, name := range []string{"launcher", "lifecycle"} {
		data, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			return fmt.Errorf("pack lifecycle: %w", err)
		}
		files = append(files, struct {
			name string
			mode int64
			data []byte
		}{"lifecycle/" + name, 0o755, data})
	}
	for _, file := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: file.name, Mode: file.mode, Size: int64(len(file.data)), ModTime: normalTime}
		if err := tw.WriteHeader(h); err != nil {
			return fmt.Errorf("pack lifecycle: %w", err)
		}
		if _, err := tw.Write(file.data); err != nil {
			return fmt.Errorf("pack lifecycle: %w", err)
		}
	}
	for _, name := range phases {
		h := &tar.Header{Typeflag: tar.TypeSymlink, Name: "lifecycle/" + name, Linkname: "lifecycle", Mode: 0o777, ModTime: normalTime}
		if err := tw.WriteHeader(h); err != nil {
			return fmt.Errorf("pack lifecycle: %w", err)
		}
	}
	return tw.Close()
}

// descriptorTOML is the lifecycle.toml of a release: what this version of the
// lifecycle supports.
func descriptorTOML() string {
	return fmt.Sprintf(`[apis]
[apis.buildpack]
  deprecated = %s
  supported = %s
[apis.platform]
  deprecated = %s
  supported = %s

[api]
  platform = "0.7"
  buildpack = "0.7"

[lifecycle]
  version = %q
  sbom-formats = ["application/vnd.cyclonedx+json", "application/spdx+json", "application/vnd.syft+json"]
`, api.Buildpack.Deprecated, api.Buildpack.Supported, api.Platform.Deprecated, api.Platform.Supported, lifecycleVersion)
}
