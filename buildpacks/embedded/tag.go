package embedded

import (
	"context"

	imagetypes "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// ImageTag implements DockerClient.
func (e *Engine) ImageTag(ctx context.Context, o client.ImageTagOptions) (client.ImageTagResult, error) {
	return client.ImageTagResult{}, e.images.Tag(ctx, o.Target, o.Source)
}

// ImageRemove implements DockerClient. A name is taken from its image; an ID,
// or the last name, takes the image. What containers still use goes with the
// last of them.
func (e *Engine) ImageRemove(ctx context.Context, name string, o client.ImageRemoveOptions) (client.ImageRemoveResult, error) {
	removed, err := e.images.Remove(ctx, name, o.Force)
	var out client.ImageRemoveResult
	for _, n := range removed.Names {
		out.Items = append(out.Items, imagetypes.DeleteResponse{Untagged: n})
	}
	if removed.ID != "" {
		out.Items = append(out.Items, imagetypes.DeleteResponse{Deleted: removed.ID.String()})
	}
	return out, err
}
