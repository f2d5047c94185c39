package gitserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/gitserver/repo"
)

const (
	repoSuffix    = ".git"
	removedPrefix = ".removed-"
	createPrefix  = ".tmp-" // of repo.Create
)

// dir is where a repository with a valid name lies.
func (s *Server) dir(name string) string {
	return filepath.Join(s.cfg.Dir, name+repoSuffix)
}

// ensure makes the repository of an app that has none yet.
func (s *Server) ensure(name string) error {
	if s.RepositoryExists(name) {
		return nil
	}
	if err := repo.Create(s.dir(name)); err != nil && !errors.Is(err, repo.ErrExists) {
		return fmt.Errorf("create repository: %w", err)
	}
	return nil
}

// RepositoryExists reports whether the repository is on disk. A repository is
// made when an [Authorizer] first lets somebody in.
func (s *Server) RepositoryExists(name string) bool {
	if !ValidName(name) {
		return false
	}
	_, err := os.Stat(filepath.Join(s.dir(name), "HEAD"))
	return err == nil
}

// TakeTurn waits for the pushes that a repository is receiving, and keeps those
// that come later waiting until the returned function is called, once. onWait is
// called if there is anything to wait for. The repository need not exist.
func (s *Server) TakeTurn(ctx context.Context, name string, onWait func()) (leave func(), err error) {
	if !ValidName(name) {
		return nil, fmt.Errorf("%w %q", ErrName, clip(name, 2*maxName))
	}
	if leave, err = s.queue.enter(ctx, name, onWait); err != nil {
		return nil, fmt.Errorf("wait for pushes to %s: %w", name, err)
	}
	return leave, nil
}

// RemoveRepository deletes a repository, after the push that it may be
// receiving. One that does not exist is no error.
func (s *Server) RemoveRepository(ctx context.Context, name string) error {
	if !ValidName(name) {
		return fmt.Errorf("%w %q", ErrName, clip(name, 2*maxName))
	}
	leave, err := s.queue.enter(ctx, name, func() {})
	if err != nil {
		return fmt.Errorf("remove repository %s: %w", name, err)
	}
	defer leave()
	// It is gone at once; Recover finishes what a crash interrupts.
	away, err := os.MkdirTemp(s.cfg.Dir, removedPrefix)
	if err != nil {
		return fmt.Errorf("remove repository %s: %w", name, err)
	}
	err = os.Rename(s.dir(name), filepath.Join(away, name))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err := errors.Join(err, os.RemoveAll(away)); err != nil {
		return fmt.Errorf("remove repository %s: %w", name, err)
	}
	return nil
}

// Recover removes what a killed server left in the repositories. It must be
// called before anything is served. A repository that cannot be opened is
// logged, and does not keep the others from being served.
func (s *Server) Recover(ctx context.Context) error {
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return fmt.Errorf("recover repositories: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, isRepo := strings.CutSuffix(e.Name(), repoSuffix)
		var err error
		switch {
		case strings.HasPrefix(e.Name(), removedPrefix), strings.HasPrefix(e.Name(), createPrefix):
			err = os.RemoveAll(filepath.Join(s.cfg.Dir, e.Name()))
		case isRepo && ValidName(name):
			err = s.recoverOne(name)
		}
		if err != nil {
			s.log.Error("recover repository", zap.String("entry", e.Name()), zap.Error(err))
		}
	}
	return nil
}

func (s *Server) recoverOne(name string) error {
	r, err := repo.Open(s.dir(name), s.cfg.Repo)
	if err != nil {
		return fmt.Errorf("recover %s: %w", name, err)
	}
	if err := errors.Join(r.CleanStale(), r.Close()); err != nil {
		return fmt.Errorf("recover %s: %w", name, err)
	}
	return nil
}

// FinishRef completes a push that a crash interrupted between its [CommitFunc]
// and the move of its refs: a ref at old goes to newHash, one that is there
// stays, and any other is [ErrConflict].
func (s *Server) FinishRef(ctx context.Context, name, ref string, old, newHash plumbing.Hash) error {
	if !ValidName(name) {
		return fmt.Errorf("%w %q", ErrName, clip(name, 2*maxName))
	}
	leave, err := s.queue.enter(ctx, name, func() {})
	if err != nil {
		return fmt.Errorf("finish %s of %s: %w", ref, name, err)
	}
	defer leave()
	if err := s.finishRef(ctx, name, repo.RefUpdate{Name: ref, Old: old, New: newHash}); err != nil {
		return fmt.Errorf("finish %s of %s: %w", ref, name, err)
	}
	return nil
}

func (s *Server) finishRef(ctx context.Context, name string, u repo.RefUpdate) error {
	r, err := repo.Open(s.dir(name), s.cfg.Repo)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // nothing was written through it that was not synced
	now, err := r.Ref(u.Name)
	if err != nil && !errors.Is(err, repo.ErrNotFound) {
		return err
	}
	if now.Hash == u.New {
		return nil
	}
	if now.Hash != u.Old {
		return fmt.Errorf("%w: at %s", ErrConflict, now.Hash)
	}
	tx, err := r.Update(ctx, []repo.RefUpdate{u})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Abort() }() // after Commit it does nothing
	if err := errors.Join(tx.Verdicts()...); err != nil {
		return err
	}
	return tx.Commit()
}
