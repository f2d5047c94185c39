package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"
)

// holderRef is the image of holders: one program of some 150 bytes.
const holderRef = "slipway/holder:1"

// pauseCode waits for ever, in machine code, so that a holder needs nothing
// from any image and costs a page of memory.
var pauseCode = map[string]struct {
	machine uint16 // of ELF
	code    []byte
}{
	"amd64": {62, []byte{
		0xb8, 34, 0, 0, 0, // mov eax, 34 (pause)
		0x0f, 0x05, // syscall
		0xeb, 0xf7, // jmp to the start
	}},
	"arm64": {183, []byte{
		0x00, 0x00, 0x80, 0xd2, // mov x0, #0
		0x01, 0x00, 0x80, 0xd2, // mov x1, #0
		0x02, 0x00, 0x80, 0xd2, // mov x2, #0
		0x28, 0x09, 0x80, 0xd2, // mov x8, #73 (ppoll)
		0x01, 0x00, 0x00, 0xd4, // svc #0
		0xfb, 0xff, 0xff, 0x17, // b to the start
	}},
}

// pauseProgram is a static executable around pauseCode.
func pauseProgram(arch string) ([]byte, error) {
	p, ok := pauseCode[arch]
	if !ok {
		return nil, fmt.Errorf("holder for %s: %w", arch, errors.ErrUnsupported)
	}
	const base, headers = 0x400000, 64 + 56
	size := uint64(headers + len(p.code))
	var b bytes.Buffer
	b.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	fields := []any{
		uint16(2), p.machine, uint32(1), // executable, machine, version
		uint64(base + headers), uint64(64), uint64(0), // entry, program headers, sections
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), // load, readable and executable, offset
		uint64(base), uint64(base), size, size, uint64(0x1000),
	}
	for _, f := range fields {
		if err := binary.Write(&b, binary.LittleEndian, f); err != nil {
			return nil, fmt.Errorf("write holder program: %w", err)
		}
	}
	b.Write(p.code)
	return b.Bytes(), nil
}

func holderImage() (v1.Image, error) {
	program, err := pauseProgram(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	var layer bytes.Buffer
	tw := tar.NewWriter(&layer)
	if err := tw.WriteHeader(&tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, fmt.Errorf("write holder layer: %w", err)
	}
	if _, err := tw.Write(program); err != nil {
		return nil, fmt.Errorf("write holder layer: %w", err)
	}
	if err := tw.Close(); err != nil {
		return nil, fmt.Errorf("write holder layer: %w", err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return nil, fmt.Errorf("make holder image: %w", err)
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, fmt.Errorf("make holder image: %w", err)
	}
	return mutate.ConfigFile(img, withConfig(img))
}

func withConfig(img v1.Image) *v1.ConfigFile {
	cfg, err := img.ConfigFile()
	if err != nil {
		cfg = &v1.ConfigFile{}
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", runtime.GOARCH
	cfg.Config.Entrypoint = []string{"/pause"}
	cfg.Config.User = "65534:65534"
	return cfg
}

// ensureHolderImage loads the holder's image into the daemon.
func (e *Engine) ensureHolderImage(ctx context.Context) error {
	select {
	case e.holderImage <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.holderImage }()
	_, err := e.ImageInspect(ctx, holderRef)
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return fmt.Errorf("inspect holder image: %w", err)
	}
	img, err := holderImage()
	if err != nil {
		return err
	}
	tag, err := name.NewTag(holderRef)
	if err != nil {
		return fmt.Errorf("name holder image: %w", err)
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, img, &archive); err != nil {
		return fmt.Errorf("write holder image: %w", err)
	}
	res, err := e.ImageLoad(ctx, &archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("load holder image: %w", err)
	}
	defer func() { _ = res.Close() }() // it was read, or failed
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(res).Decode(&answer); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("load holder image: %w", err)
	}
	if answer.Error != "" {
		return fmt.Errorf("load holder image: %s", answer.Error)
	}
	return nil
}
