// Package repo keeps bare git repositories on disk.
//
// It takes packs from the wire into a quarantine, checks them as
// `git fsck --strict` would, moves references by lock, compare, fsync and
// rename, reads a commit's tree as an [io/fs.FS], and sends packs. What it
// leaves on disk is a plain bare repository: C git can read it, write to it and
// run `git gc` on it at the same time.
//
// It knows nothing of the wire protocol, of users and of policy: which
// references are hidden and whether HEAD's branch may go is the caller's
// business. Alternates, SHA-256 repositories and the reftable backend are not
// supported, and are refused in words.
//
// A [Repo], a [Quarantine] and the trees that they hand out may be used by
// several goroutines at once. A [RefTx] belongs to one.
//
//	r, err := repo.Open(dir, repo.Options{})
//	q, err := r.Ingest(ctx, body, repo.IngestOptions{})
//	defer q.Discard()
//	err = q.CheckConnected(ctx, tips)
//	err = q.Migrate()
//	tx, err := r.Update(ctx, updates)
//	err = tx.Commit()
package repo
