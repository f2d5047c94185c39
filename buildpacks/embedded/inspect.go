package embedded

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	imagetypes "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// ImageInspect implements DockerClient.
func (e *Engine) ImageInspect(ctx context.Context, name string, _ ...client.ImageInspectOption) (client.ImageInspectResult, error) {
	i, err := e.images.find(name)
	if err != nil {
		return client.ImageInspectResult{}, err
	}
	config := i.config.Config
	out := imagetypes.InspectResponse{
		ID:           i.id.String(),
		Author:       i.config.Author,
		Config:       &config,
		Architecture: i.config.Architecture,
		Variant:      i.config.Variant,
		Os:           i.config.OS,
		OsVersion:    i.config.OSVersion,
		Size:         i.size,
		RootFS:       imagetypes.RootFS{Type: i.config.RootFS.Type},
	}
	for _, id := range i.config.RootFS.DiffIDs {
		out.RootFS.Layers = append(out.RootFS.Layers, id.String())
	}
	if i.config.Created != nil {
		out.Created = i.config.Created.Format(time.RFC3339Nano)
	}
	out.RepoTags, out.RepoDigests = e.images.namesOf(i)
	return client.ImageInspectResult{InspectResponse: out}, ctx.Err()
}

// namesOf gives the short names of an image, as a user would type them.
func (s *imageStore) namesOf(i *image) (tags, digests []string) {
	s.mu.Lock()
	names := slices.Clone(i.names)
	s.mu.Unlock()
	for _, name := range names {
		named, err := reference.ParseNormalizedNamed(name)
		switch {
		case err != nil: // the image's own ID
		case strings.Contains(name, "@"):
			digests = append(digests, reference.FamiliarString(named))
		default:
			tags = append(tags, reference.FamiliarString(named))
		}
	}
	return tags, digests
}

// ImageHistory implements DockerClient. The newest entry comes first.
func (e *Engine) ImageHistory(ctx context.Context, name string, _ ...client.ImageHistoryOption) (client.ImageHistoryResult, error) {
	i, err := e.images.find(name)
	if err != nil {
		return client.ImageHistoryResult{}, err
	}
	var out client.ImageHistoryResult
	for _, h := range slices.Backward(i.config.History) {
		item := imagetypes.HistoryResponseItem{ID: "<missing>", CreatedBy: h.CreatedBy, Comment: h.Comment}
		if h.Created != nil {
			item.Created = h.Created.Unix()
		}
		out.Items = append(out.Items, item)
	}
	if len(out.Items) > 0 {
		out.Items[0].ID = i.id.String()
		out.Items[0].Tags, _ = e.images.namesOf(i)
	}
	return out, ctx.Err()
}
