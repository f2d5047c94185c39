package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"slipway/internal/state"
)

// migrate runs the migrations that the database has not seen, each in a
// transaction of its own. The database remembers how many.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Glob(s.dialect.Migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	for done := -1; done < len(files); {
		err := s.inTx(ctx, func(tx session) (err error) {
			done, err = s.migrateNext(ctx, tx, files)
			return err
		})
		if err != nil {
			return fmt.Errorf("bring the state's tables up to date: %w", err)
		}
	}
	return nil
}

// migrateNext runs the first migration that is missing, and returns how many
// were done before. Two processes may start at once: the number is read when
// the other is kept out.
func (s *Store) migrateNext(ctx context.Context, tx session, files []string) (done int, err error) {
	for _, statement := range s.dialect.BeforeMigration {
		if err := tx.exec(ctx, statement); err != nil {
			return 0, err
		}
	}
	if err := tx.one(ctx, []any{&done}, s.dialect.ReadVersion); err != nil {
		return 0, fmt.Errorf("read version: %w", err)
	}
	if done > len(files) {
		return 0, fmt.Errorf("the state is of a newer Slipway (version %d, this one knows %d): run that one", done, len(files))
	}
	if done == len(files) {
		return done, nil
	}
	script, err := fs.ReadFile(s.dialect.Migrations, files[done])
	if err != nil {
		return 0, err
	}
	if err := tx.exec(ctx, string(script)); err != nil {
		return 0, fmt.Errorf("%s: %w", files[done], err)
	}
	return done, tx.exec(ctx, fmt.Sprintf(s.dialect.WriteVersion, done+1))
}

// checkKey makes sure that the state's secrets were sealed with our key: better
// to stop now than to seal some with one key and some with another.
func (s *Store) checkKey(ctx context.Context) error {
	if s.sealer == nil {
		return errors.New("open state: a key for its secrets is required")
	}
	const owner = "sealing"
	var probe []byte
	err := s.one(ctx, []any{&probe}, "SELECT probe FROM sealing WHERE id = 1")
	if errors.Is(err, state.ErrNotFound) {
		err = s.inTx(ctx, func(tx session) error {
			err := tx.exec(ctx, "INSERT INTO sealing (id, probe) VALUES (1, ?) ON CONFLICT DO NOTHING",
				s.sealer.Seal(owner, []byte(owner)))
			if err != nil {
				return err
			}
			return tx.one(ctx, []any{&probe}, "SELECT probe FROM sealing WHERE id = 1")
		})
	}
	if err == nil {
		_, err = s.sealer.Open(owner, probe)
	}
	if err != nil {
		return fmt.Errorf("open state: %w", err)
	}
	return nil
}
