package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/internal/sources"
)

// buildpackLimits bound an archive with a buildpack, packed and unpacked.
var buildpackLimits = sources.Limits{Bytes: 512 << 20, Files: 50_000}

// fetched is where buildpacks that were fetched lie in a build's directory.
const fetched = "fetched"

// fetchBuildpack fetches an archive with a buildpack, and returns where it lies
// until the end of the build. The server fetches it, from where builds reach.
func (j *job) fetchBuildpack(ctx context.Context, uri string) (string, error) {
	j.t.note("-----> Fetching buildpack " + sources.Shown(uri))
	started := time.Now()
	path, err := j.fetchArchive(ctx, uri)
	if known, is := errors.AsType[*sources.Error](err); is {
		return "", refuse(ErrRefused, "The buildpack %s cannot be used:\n%s.", sources.Shown(uri), known.Text)
	}
	if err != nil {
		return "", fmt.Errorf("fetch buildpack: %w", err)
	}
	j.t.note(detail + "Fetched in " + time.Since(started).Round(100*time.Millisecond).String())
	return path, nil
}

func (j *job) fetchArchive(ctx context.Context, uri string) (string, error) {
	dir := filepath.Join(j.dir, fetched)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	body, err := sources.Fetcher{Reach: j.b.cfg.Reach, What: "buildpack"}.Get(ctx, uri)
	if err != nil {
		return "", err
	}
	file, err := sources.Save(ctx, body, "buildpack", dir, buildpackLimits)
	if err := errors.Join(err, body.Close()); err != nil {
		return "", err
	}
	tree, err := sources.UnpackFile(ctx, file, "buildpack", dir, buildpackLimits)
	if err != nil {
		return "", err
	}
	j.trees = append(j.trees, tree)
	if _, err := tree.Lstat("oci-layout"); err == nil {
		return file, nil // a packaged buildpack, which pack takes as it is
	}
	root, err := os.OpenRoot(tree.Dir())
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }() // only a handle
	return tree.Dir(), checkBuildpack(root, "The app asks for the buildpack "+sources.Shown(uri))
}

// dropTrees gives up what was unpacked; the files go with the build's directory.
func (j *job) dropTrees() {
	for _, tree := range j.trees {
		j.cleaned("buildpack", tree.Close())
	}
}

// ownCode tells whether a buildpack at a URI is the pusher's own code, or the
// builder's: it runs with no more rights than the app has anyway.
func (j *job) ownCode(uri string) bool {
	return ofBuilder(uri) || uri == j.app() || strings.HasPrefix(uri, j.app()+string(filepath.Separator))
}
