package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
)

// ImageLoad implements DockerClient. It reads what docker save, pack and
// go-containerregistry write, and OCI layouts in a tar. A layer may be left
// out (empty) if the engine has it already. Input that can be closed is closed
// on an error, as an HTTP client would, so that its writer does not hang.
func (e *Engine) ImageLoad(ctx context.Context, input io.Reader, _ ...client.ImageLoadOption) (client.ImageLoadResult, error) {
	loaded, err := e.images.Load(ctx, input)
	if err != nil {
		if c, ok := input.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		return nil, fmt.Errorf("load image: %w", err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, name := range loaded {
		if err := enc.Encode(jsonstream.Message{Stream: "Loaded image: " + name + "\n"}); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(&out), nil
}
