package gitserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/gitserver/repo"
)

// applyTimeout bounds the time from the Receiver's agreement to moved refs,
// which a client that goes away does not interrupt.
const applyTimeout = 2 * time.Minute

// apply makes the push stand: objects, locks, the Receiver's part, refs.
func (v *receiving) apply(ctx context.Context, q *repo.Quarantine, commit CommitFunc) error {
	start := time.Now()
	if err := q.Migrate(); err != nil {
		return fmt.Errorf("migrate objects: %w", err)
	}
	v.updateHooks(ctx)
	for _, turn := range v.turns(commit) {
		if err := v.move(ctx, turn, commit); err != nil {
			return err
		}
	}
	if len(v.standing()) == 0 {
		return nil
	}
	v.c.warn("point HEAD to a branch", v.followHead(ctx))
	v.c.log.Info("push applied", zap.Int("refs", len(v.standing())), zap.Duration("took", time.Since(start)))
	return nil
}

// turns divides the commands into those that can be locked together. A ref that
// is in the way of another one, as a file is of a directory, has to go first;
// git moves one ref after the other, unless the push is atomic.
func (v *receiving) turns(commit CommitFunc) [][]int {
	standing := v.standing()
	if v.req.caps.atomic || commit != nil {
		return [][]int{standing}
	}
	var gone, rest []int
	names := make(map[string]plumbing.Hash)
	for _, i := range standing {
		if cmd := v.verdicts[i].cmd; cmd.IsDelete() {
			gone = append(gone, i)
			names[cmd.Ref] = cmd.Old
		}
	}
	inTheWay := false
	for _, i := range standing {
		if cmd := v.verdicts[i].cmd; !cmd.IsDelete() {
			rest = append(rest, i)
			inTheWay = inTheWay || hasParent(names, cmd.Ref) || hasChild(names, cmd.Ref)
		}
	}
	if !inTheWay {
		return [][]int{standing}
	}
	return [][]int{gone, rest}
}

// move locks the refs of some commands and moves them.
func (v *receiving) move(ctx context.Context, turn []int, commit CommitFunc) error {
	updates := make([]repo.RefUpdate, len(turn))
	for i, at := range turn {
		cmd := v.verdicts[at].cmd
		updates[i] = repo.RefUpdate{Name: cmd.Ref, Old: cmd.Old, New: cmd.New}
	}
	tx, err := v.repo.Update(ctx, updates)
	if err != nil {
		return fmt.Errorf("lock refs: %w", err)
	}
	defer func() { v.c.warn("release refs", tx.Abort()) }()
	for i, err := range tx.Verdicts() {
		if err != nil {
			v.reject(turn[i], v.refReason(err))
		}
	}
	if tx.Failed() && (v.req.caps.atomic || commit != nil) {
		// What the Receiver agreed to was the whole push.
		v.rejectAll(reasonAtomic)
		return nil
	}
	standing := slices.DeleteFunc(slices.Clone(turn), func(i int) bool { return v.verdicts[i].reason != "" })
	if len(standing) == 0 {
		return nil
	}
	if err := v.makeStand(ctx, tx, standing, commit); err != nil {
		return err
	}
	for _, i := range standing {
		v.verdicts[i].moved = true
	}
	return nil
}

// makeStand moves the refs, which are locked, behind the Receiver's part.
func (v *receiving) makeStand(ctx context.Context, tx *repo.RefTx, turn []int, commit CommitFunc) error {
	if err := v.transactionHook(ctx, "prepared", turn); err != nil {
		return errors.Join(err, v.transactionHook(ctx, "aborted", turn))
	}
	if commit != nil {
		if err := commit(ctx); err != nil {
			return errors.Join(&declinedError{err: err}, v.transactionHook(ctx, "aborted", turn))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("move refs: %w", err)
	}
	return v.transactionHook(ctx, "committed", turn)
}

// followHead points HEAD to a branch that exists, so that a clone has something
// to check out.
func (v *receiving) followHead(ctx context.Context) error {
	head, err := v.repo.Head()
	if err != nil || head == "" {
		return err
	}
	if _, err := v.repo.Ref(head); !errors.Is(err, repo.ErrNotFound) {
		return err
	}
	for _, branch := range v.s.cfg.Branches {
		name := branchPrefix + branch
		_, err := v.repo.Ref(name)
		if err == nil {
			return v.repo.SetHead(ctx, name)
		}
		if !errors.Is(err, repo.ErrNotFound) {
			return err
		}
	}
	return nil
}
