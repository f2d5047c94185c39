package embedded

import (
	"context"
	"slices"
	"time"

	imagetypes "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// ImageInspect implements DockerClient.
func (e *Engine) ImageInspect(ctx context.Context, name string, _ ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	i, err := e.images.Find(name)
	if err != nil {
		return client.ImageInspectResult{}, err
	}
	config := i.Config.Config
	out := imagetypes.InspectResponse{
		ID:           i.ID.String(),
		Author:       i.Config.Author,
		Config:       &config,
		Architecture: i.Config.Architecture,
		Variant:      i.Config.Variant,
		Os:           i.Config.OS,
		OsVersion:    i.Config.OSVersion,
		Size:         i.Size,
		RootFS:       imagetypes.RootFS{Type: i.Config.RootFS.Type},
	}
	for _, id := range i.Config.RootFS.DiffIDs {
		out.RootFS.Layers = append(out.RootFS.Layers, id.String())
	}
	if i.Config.Created != nil {
		out.Created = i.Config.Created.Format(time.RFC3339Nano)
	}
	out.RepoTags, out.RepoDigests = e.images.Names(i)
	return client.ImageInspectResult{InspectResponse: out}, ctx.Err()
}

// ImageHistory implements DockerClient. The newest entry comes first.
func (e *Engine) ImageHistory(ctx context.Context, name string, _ ...client.ImageHistoryOption) (client.ImageHistoryResult, error) {
	i, err := e.images.Find(name)
	if err != nil {
		return client.ImageHistoryResult{}, err
	}
	var out client.ImageHistoryResult
	for _, h := range slices.Backward(i.Config.History) {
		item := imagetypes.HistoryResponseItem{ID: "<missing>", CreatedBy: h.CreatedBy, Comment: h.Comment}
		if h.Created != nil {
			item.Created = h.Created.Unix()
		}
		out.Items = append(out.Items, item)
	}
	if len(out.Items) > 0 {
		out.Items[0].ID = i.ID.String()
		out.Items[0].Tags, _ = e.images.Names(i)
	}
	return out, ctx.Err()
}
