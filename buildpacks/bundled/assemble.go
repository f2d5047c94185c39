package bundled

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"golang.org/x/sys/unix"
)

const (
	inputsFile   = "inputs"
	versionsFile = "versions.json"
	idFile       = "id"
	refName      = "org.opencontainers.image.ref.name"
)

// assemble makes the layout out of the parts and puts it in the place of what
// was there. It gives the builder's id.
func (b *build) assemble(ctx context.Context, made *parts) (id string, err error) {
	b.say("Assembling the builder")
	if err := sweep(b.Out + ".tmp-*"); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(b.Out), 0o755); err != nil {
		return "", fmt.Errorf("make output directory: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(b.Out), filepath.Base(b.Out)+".tmp-")
	if err != nil {
		return "", fmt.Errorf("make output directory: %w", err)
	}
	defer removeAll(tmp, &err)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", fmt.Errorf("make output directory: %w", err)
	}
	runSteps, buildSteps, err := b.steps(ctx, made, filepath.Join(tmp, "blobs"))
	if err != nil {
		return "", err
	}
	h, err := openHub(ctx, filepath.Join(tmp, "blobs"))
	if err != nil {
		return "", err
	}
	builder, run, err := b.images(ctx, h, made, runSteps, buildSteps)
	if err == nil {
		id, err = writeLayout(tmp, builder, run)
	}
	if err := errors.Join(err, h.Close()); err != nil {
		return "", err
	}
	for name, text := range map[string]string{inputsFile: made.inputs, idFile: id + "\n"} {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o644); err != nil {
			return "", fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := writeJSON(filepath.Join(tmp, versionsFile), made.versions()); err != nil {
		return "", err
	}
	return id, b.swap(tmp)
}

// steps places the finished layers among the blobs of a layout and says what
// the run and build images consist of.
func (b *build) steps(ctx context.Context, made *parts, blobs string) (run, build []step, err error) {
	if err := os.MkdirAll(filepath.Join(blobs, "sha256"), 0o755); err != nil {
		return nil, nil, fmt.Errorf("make blobs: %w", err)
	}
	place := func(l layer, file, did string) (step, error) {
		hash, err := v1.NewHash(l.Digest)
		if err != nil {
			return step{}, err
		}
		to := filepath.Join(blobs, hash.Algorithm, hash.Hex)
		if err := linkFile(file, to); err != nil && !errors.Is(err, fs.ErrExist) {
			return step{}, fmt.Errorf("place layer: %w", err)
		}
		return step{fileLayer{l, to}, did}, nil
	}
	base, err := place(made.debian.Run, filepath.Join(made.debianDir, runLayerFile), "Debian "+distroVer)
	if err != nil {
		return nil, nil, err
	}
	run, build = []step{base}, []step{base}
	more, err := place(made.debian.Build, filepath.Join(made.debianDir, buildLayerFile), "compilers and headers")
	if err != nil {
		return nil, nil, err
	}
	build = append(build, more)
	for i, l := range made.pythons {
		s, err := place(l, filepath.Join(made.pythonDirs[i], pythonLayerFile), "CPython "+pythons[i].Version)
		if err != nil {
			return nil, nil, err
		}
		build = append(build, s)
	}
	server, err := place(made.caddy, filepath.Join(made.caddyDir, caddyLayerFile), "Caddy")
	if err != nil {
		return nil, nil, err
	}
	build = append(build, server)
	list, file, err := b.versionsLayer(ctx, made.versions())
	if err != nil {
		return nil, nil, err
	}
	s, err := place(list, file, "list of CPythons")
	return run, append(build, s), err
}

// versionsLayer makes the layer with the list of CPythons.
func (b *build) versionsLayer(ctx context.Context, v Versions) (layer, string, error) {
	root := filepath.Join(b.work, "versions")
	dir := filepath.Join(root, pythonRoot)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return layer{}, "", fmt.Errorf("list CPythons: %w", err)
	}
	if err := writeJSON(filepath.Join(dir, versionsFile), v); err != nil {
		return layer{}, "", err
	}
	file := filepath.Join(b.work, "versions.tar.gz")
	l, err := packer{root: root, owner: func(fs.FileInfo) (int, int) { return 0, 0 }}.pack(ctx, file)
	return l, file, err
}

// images makes the run image and the builder.
func (b *build) images(ctx context.Context, h *hub, made *parts, runSteps, buildSteps []step) (builder, run v1.Image, err error) {
	run, err = image("Slipway run image, Debian "+distroVer, nil, runSteps)
	if err != nil {
		return nil, nil, err
	}
	env := []string{
		"CNB_USER_ID=" + strconv.Itoa(userID), "CNB_GROUP_ID=" + strconv.Itoa(groupID), "CNB_STACK_ID=" + stackID,
	}
	base, err := image("Slipway build image, Debian "+distroVer, env, buildSteps)
	if err != nil {
		return nil, nil, err
	}
	list, err := json.Marshal(made.versions())
	if err != nil {
		return nil, nil, fmt.Errorf("encode versions: %w", err)
	}
	p := builderParts{
		lifecycle: filepath.Join(made.lifecycleDir, lifecycleFile), buildpacks: filepath.Join(b.work, "buildpacks"),
		labels: map[string]string{"slipway.python": string(list)}, work: b.work,
	}
	if p.run, err = h.push(ctx, "run", run); err != nil {
		return nil, nil, err
	}
	if p.build, err = h.push(ctx, "build", base); err != nil {
		return nil, nil, err
	}
	ref, err := createBuilder(ctx, h, p)
	if err != nil {
		return nil, nil, err
	}
	if builder, err = h.pull(ctx, ref); err != nil {
		return nil, nil, err
	}
	builder, err = allOCI(builder)
	return builder, run, err
}

// writeLayout writes the index over the two images, drops blobs that belong to
// neither, and gives the id of both.
func writeLayout(dir string, builder, run v1.Image) (string, error) {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return "", fmt.Errorf("write layout: %w", err)
	}
	h := sha256.New()
	keep := map[string]bool{}
	for _, i := range []struct {
		name string
		img  v1.Image
	}{{"builder", builder}, {"run", run}} {
		err := path.AppendImage(i.img, layout.WithAnnotations(map[string]string{refName: i.name}))
		if err != nil {
			return "", fmt.Errorf("write %s image: %w", i.name, err)
		}
		digest, err := i.img.Digest()
		if err != nil {
			return "", fmt.Errorf("hash %s image: %w", i.name, err)
		}
		h.Write([]byte(digest.String()))
		m, err := i.img.Manifest()
		if err != nil {
			return "", fmt.Errorf("read %s image: %w", i.name, err)
		}
		keep[digest.Hex], keep[m.Config.Digest.Hex] = true, true
		for _, l := range m.Layers {
			keep[l.Digest.Hex] = true
		}
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	entries, err := os.ReadDir(blobs)
	if err != nil {
		return "", fmt.Errorf("read blobs: %w", err)
	}
	for _, e := range entries {
		blob := filepath.Join(blobs, e.Name())
		if !keep[e.Name()] {
			if err := os.Remove(blob); err != nil {
				return "", fmt.Errorf("drop blob: %w", err)
			}
			continue
		}
		if err := os.Chmod(blob, 0o644); err != nil {
			return "", fmt.Errorf("share blob: %w", err)
		}
	}
	for _, name := range []string{"index.json", "oci-layout"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
			return "", fmt.Errorf("share layout: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// swap puts the new layout in the place of the old one, in one step where
// there is one.
func (b *build) swap(tmp string) error {
	err := os.Rename(tmp, b.Out)
	if err == nil {
		return nil
	}
	if err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, b.Out, unix.RENAME_EXCHANGE); err != nil {
		return fmt.Errorf("replace %s: %w", b.Out, err)
	}
	return nil
}

// linkFile makes to another name of from, or a copy where that cannot be.
func linkFile(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, unix.EXDEV) {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(copyFile(f, from), f.Close())
}
