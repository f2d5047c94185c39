// Package repo keeps bare git repositories on disk.
//
// It takes packs from the wire into a quarantine, checks them as
// `git fsck --strict` would, moves references by lock, compare, fsync and
// rename, reads a commit's tree as an [io/fs.FS], and sends packs. What it
// leaves on disk is a plain bare repository: C git can read it, write to it and
// run `git gc` on it at the same time.
//
// Each push leaves a pack. [Repo.Repack] joins them, [Repo.PackRefs] packs
// references, [Repo.Sweep] removes objects that no reference leads to, and
// [Repo.Upkeep] does what is needed of these, beside pushes and fetches, in one
// process or several. Two rules keep them apart. Whoever pushes holds a shared
// lock from the first byte of the pack until the references have moved; Sweep
// holds it alone while it removes. And no object that is stored ever lacks what
// it links to, so that a push is checked in the time that its own objects take:
// Sweep removes what links to each other at once, or not at all. A `git gc`
// beside pushes is safe with git's own grace of two weeks. With --prune=now it
// can remove what a push under way builds on: Migrate looks again for the
// commits that the new ones follow, which leaves a moment too short to hit but
// by bad luck. C git's own programs are not aware of the lock: those who push
// through them rely on the grace, too.
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
//	done, err := r.Upkeep(ctx, repo.UpkeepOptions{})
package repo
