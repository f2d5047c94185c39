package buildpacks

import (
	"context"
	"io/fs"
)

// Detect says what the app in fsys is. The error, if the app cannot be built,
// is a [*DetectError] with words for the person who pushed; the plan is
// returned with it as far as it got. Any other error is about fsys or ctx.
//
// It reads the root listing and at most a megabyte of each file that decides.
func Detect(ctx context.Context, fsys fs.FS, o Options) (*Plan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &Plan{}, nil
}
