package repo

import (
	"context"
	"errors"
)

const sweepJournal = ownDir + "/sweeping"

func (r *Repo) endSweep(context.Context) error { return errors.New("TODO") }
