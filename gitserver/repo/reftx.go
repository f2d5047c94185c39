package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
)

// A RefUpdate moves one reference. A zero Old says that it must not exist, a
// zero New deletes it.
type RefUpdate struct {
	Name     string
	Old, New Hash
}

func (u *RefUpdate) deletes() bool { return u.New.IsZero() }

// A RefTx holds the locks of references that passed all checks. Exactly one
// of Commit and Abort ends it (Abort after Commit does nothing).
type RefTx struct {
	r        *Repo
	updates  []RefUpdate
	verdicts []error
	locks    []*lockFile // per update; nil if its verdict is an error
	names    map[string]bool
	packed   packedView
	rewrite  *lockFile // packed-refs, if anything is deleted
	written  bool      // its next content is there
	lease    *flocked  // keeps Sweep from the new values
	ended    bool
}

// A packedView is packed-refs as last read; it is read again when replaced.
type packedView struct {
	refs *packedRefs
	info fs.FileInfo
}

// Update locks the references, compares their old values, looks for
// directory/file conflicts and for the new objects (which must have been
// migrated), and prepares the new values on disk. What is wrong with a single
// update is its verdict; the error is for what stops all of them.
func (r *Repo) Update(ctx context.Context, updates []RefUpdate) (*RefTx, error) {
	t := &RefTx{
		r: r, updates: slices.Clone(updates),
		verdicts: make([]error, len(updates)), locks: make([]*lockFile, len(updates)),
		names: make(map[string]bool, len(updates)),
	}
	ctx, cancel := context.WithTimeout(ctx, r.o.LockTimeout)
	defer cancel()
	if err := t.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("update references: %w", err), t.Abort())
	}
	return t, nil
}

func (t *RefTx) prepare(ctx context.Context) (err error) {
	if t.lease, err = t.r.lease(ctx); err != nil {
		return err
	}
	// New values must be there now, not only in packs that are still open.
	t.r.db.refresh()                     //nolint:errcheck // what is missing is refused below
	order := make([]int, len(t.updates)) // all take locks in the same order
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(t.updates[a].Name, t.updates[b].Name) })
	var gone []string
	for _, i := range order {
		u := &t.updates[i]
		err := t.prepareOne(ctx, i)
		if err != nil && !isVerdict(err) {
			return fmt.Errorf("%q: %w", u.Name, err)
		}
		if t.verdicts[i] = err; err == nil {
			t.names[u.Name] = true
			if u.deletes() {
				gone = append(gone, u.Name)
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return t.preparePacked(ctx, gone)
}

// isVerdict tells what is wrong with one update from what stops all.
func isVerdict(err error) bool {
	for _, v := range []error{ErrRefName, ErrRefStale, ErrRefConflict, ErrRefLocked, ErrRefDuplicate, ErrRefSymbolic, ErrRefObject, errBroken} {
		if errors.Is(err, v) {
			return true
		}
	}
	return false
}

func (t *RefTx) prepareOne(ctx context.Context, i int) (err error) {
	u := &t.updates[i]
	if err := CheckRefName(u.Name); err != nil {
		return err
	}
	if t.names[u.Name] {
		return fmt.Errorf("%w: %s", ErrRefDuplicate, u.Name)
	}
	if err := t.checkObject(u); err != nil {
		return err
	}
	if err := t.checkConflict(u); err != nil {
		return err
	}
	var content []byte
	if !u.deletes() {
		content = []byte(u.New.String() + "\n")
	}
	l, err := t.r.lock(ctx, t.r.path(u.Name), content)
	switch {
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: a part of %s is a reference", ErrRefConflict, u.Name)
	case err != nil:
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.release())
			return
		}
		t.locks[i] = l
	}()
	if err := t.compare(u); err != nil {
		return err
	}
	if u.deletes() {
		return nil
	}
	// Others may have made references while we were not holding the lock.
	if err := t.checkConflict(u); err != nil {
		return err
	}
	if st, err := os.Lstat(l.path); err == nil && st.IsDir() {
		if err := removeEmptyDirs(l.path); err != nil {
			return fmt.Errorf("%w: there are references below %s", ErrRefConflict, u.Name)
		}
	}
	return nil
}

// checkObject checks what the reference is to point to.
func (t *RefTx) checkObject(u *RefUpdate) error {
	if u.deletes() {
		return nil
	}
	kind, err := t.r.Type(u.New)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: %s does not exist", ErrRefObject, u.New)
	case err != nil:
		return err
	case strings.HasPrefix(u.Name, "refs/heads/") && kind != plumbing.CommitObject:
		return fmt.Errorf("%w: %s is a %s, and a branch takes only commits", ErrRefObject, u.New, kind)
	}
	return nil
}

// view is packed-refs as it is now.
func (t *RefTx) view() (*packedRefs, error) { return t.r.view(&t.packed) }

func (r *Repo) view(v *packedView) (*packedRefs, error) {
	info, err := os.Stat(r.path("packed-refs"))
	if err != nil && !isNotExist(err) {
		return nil, err
	}
	if v.refs != nil && (info == nil && v.info == nil || sameFile(info, v.info) &&
		info.Size() == v.info.Size() && info.ModTime().Equal(v.info.ModTime())) {
		return v.refs, nil
	}
	v.info = info
	v.refs, err = r.readPacked()
	return v.refs, err
}

// checkConflict looks for references above and below a new one, among those
// that exist and those of this transaction.
func (t *RefTx) checkConflict(u *RefUpdate) error {
	if u.deletes() {
		return nil
	}
	packed, err := t.view()
	if err != nil {
		return err
	}
	for i := len("refs/"); i < len(u.Name); i++ {
		if u.Name[i] != '/' {
			continue
		}
		above := u.Name[:i]
		st, err := os.Lstat(t.r.path(above))
		_, ok := packed.find(above)
		if ok || t.names[above] || err == nil && !st.IsDir() {
			return fmt.Errorf("%w: %s exists; cannot create %s", ErrRefConflict, above, u.Name)
		}
	}
	if below, ok := packed.below(u.Name); ok {
		return fmt.Errorf("%w: %s exists; cannot create %s", ErrRefConflict, below, u.Name)
	}
	if below, ok := t.r.looseBelow(u.Name); ok {
		return fmt.Errorf("%w: %s exists; cannot create %s", ErrRefConflict, below, u.Name)
	}
	return nil
}

// looseBelow finds a loose reference below a name.
func (r *Repo) looseBelow(name string) (string, bool) {
	entries, err := os.ReadDir(r.path(name))
	if err != nil {
		return "", false
	}
	for _, e := range entries {
		sub := name + "/" + e.Name()
		if !e.IsDir() {
			if CheckRefName(sub) == nil {
				return sub, true
			}
			continue
		}
		if found, ok := r.looseBelow(sub); ok {
			return found, true
		}
	}
	return "", false
}

// compare compares the old value, under the lock.
func (t *RefTx) compare(u *RefUpdate) error {
	var now Hash
	v, err := t.r.readLoose(u.Name)
	switch {
	case isNotExist(err):
		packed, err := t.view()
		if err != nil {
			return err
		}
		p, _ := packed.find(u.Name)
		now = p.Hash
	case err != nil:
		return fmt.Errorf("%w: %s", err, u.Name)
	case v.target != "":
		return fmt.Errorf("%w: %s points to %s", ErrRefSymbolic, u.Name, v.target)
	default:
		now = v.hash
	}
	switch {
	case now == u.Old:
		return nil
	case now.IsZero():
		return fmt.Errorf("%w: %s does not exist, expected it at %s", ErrRefStale, u.Name, u.Old)
	case u.Old.IsZero():
		return fmt.Errorf("%w: %s exists already", ErrRefStale, u.Name)
	}
	return fmt.Errorf("%w: %s is at %s, expected it at %s", ErrRefStale, u.Name, now, u.Old)
}

// preparePacked writes packed-refs without the deleted references.
func (t *RefTx) preparePacked(ctx context.Context, gone []string) error {
	// `git pack-refs` does not lock the references that it packs. Only this
	// lock, held until loose files are gone, keeps it from packing them again.
	l, err := t.r.lock(ctx, t.r.path("packed-refs"), nil)
	if err != nil {
		return err
	}
	t.rewrite = l
	packed, err := t.view()
	if err != nil {
		return err
	}
	without := make(map[string]bool)
	for _, name := range gone {
		if _, ok := packed.find(name); ok {
			without[name] = true
		}
	}
	if len(without) == 0 {
		return nil
	}
	// As C git: the lock stays while a second file takes the place of the first.
	path := l.path + packedNew
	if err := os.Remove(path); err != nil && !isNotExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	t.written = true
	err = packed.write(bufio.NewWriter(f), without)
	if err == nil && !t.r.o.NoSync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

const packedNew = ".new"

// Verdicts has an entry per update, in their order: nil for one that Commit
// will move, else an error that wraps one of the ErrRef sentinels.
func (t *RefTx) Verdicts() []error { return slices.Clone(t.verdicts) }

// Failed says whether any verdict is an error: an atomic push aborts then.
func (t *RefTx) Failed() bool {
	return slices.ContainsFunc(t.verdicts, func(err error) bool { return err != nil })
}

// Commit moves the references whose verdict is nil and releases all locks.
func (t *RefTx) Commit() error {
	if t.ended {
		return fmt.Errorf("commit references: %w", os.ErrClosed)
	}
	t.ended = true
	dirs := make(map[string]bool)
	var err error
	// Deleted references leave packed-refs first: otherwise an old value would
	// come to light for a moment.
	if t.written {
		if err := os.Rename(t.rewrite.path+packedNew, t.rewrite.path); err != nil {
			t.ended = false
			return errors.Join(fmt.Errorf("commit packed-refs: %w", err), t.Abort())
		}
		if !t.r.o.NoSync {
			err = syncDir(t.r.dir)
		}
	}
	for i, l := range t.locks {
		if l == nil {
			continue
		}
		if t.updates[i].deletes() {
			err = errors.Join(err, t.remove(l, t.updates[i].Name))
		} else {
			err = errors.Join(err, l.commit())
		}
		t.noteDirs(dirs, l.path)
	}
	err = errors.Join(err, t.lease.Close())
	if t.rewrite != nil {
		err = errors.Join(err, t.rewrite.release())
	}
	if !t.r.o.NoSync {
		err = errors.Join(err, syncAll(maps.Keys(dirs), func(dir string) error {
			if err := syncDir(dir); !isNotExist(err) {
				return err
			}
			return nil // removed with its last reference
		}))
	}
	if err != nil {
		return fmt.Errorf("commit references: %w", err)
	}
	return nil
}

// noteDirs notes the directories from a reference up to refs/.
func (t *RefTx) noteDirs(dirs map[string]bool, path string) {
	for dir := filepath.Dir(path); len(dir) > len(t.r.dir) && !dirs[dir]; dir = filepath.Dir(dir) {
		dirs[dir] = true
	}
}

// remove deletes a loose reference, its log and directories left empty.
func (t *RefTx) remove(l *lockFile, name string) error {
	err := os.Remove(l.path)
	if isNotExist(err) || errors.Is(err, syscall.EISDIR) || isNotEmpty(err) {
		err = nil // it was packed only; a directory in its place is not ours
	}
	err = errors.Join(err, l.release())
	os.Remove(t.r.path("logs/" + name)) //nolint:errcheck // most have none
	t.r.removeEmptyParents(l.path)
	return err
}

// Abort releases all locks and moves nothing.
func (t *RefTx) Abort() error {
	if t == nil || t.ended {
		return nil
	}
	t.ended = true
	var err error
	if t.written {
		err = os.Remove(t.rewrite.path + packedNew)
	}
	if t.rewrite != nil {
		err = errors.Join(err, t.rewrite.release())
	}
	if t.lease != nil {
		err = errors.Join(err, t.lease.Close())
	}
	if err = errors.Join(err, t.releaseAll()); err != nil {
		return fmt.Errorf("abort references: %w", err)
	}
	return nil
}

func (t *RefTx) releaseAll() error {
	var err error
	for i, l := range t.locks {
		if l != nil {
			err = errors.Join(err, l.release())
			t.locks[i] = nil
			t.r.removeEmptyParents(l.path)
		}
	}
	return err
}

// removeEmptyParents removes the directories that a reference or its lock lay
// in, if nothing else does; refs/heads and the like stay.
func (r *Repo) removeEmptyParents(path string) {
	for dir := filepath.Dir(path); filepath.Dir(filepath.Dir(dir)) != r.dir && len(dir) > len(r.path("refs")); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			return
		}
	}
}

// SetHead points HEAD to a branch, which need not exist.
func (r *Repo) SetHead(ctx context.Context, target string) error {
	if err := CheckRefName(target); err != nil {
		return err
	}
	if !strings.HasPrefix(target, "refs/heads/") {
		return fmt.Errorf("%w %q: HEAD takes only branches", ErrRefName, target)
	}
	ctx, cancel := context.WithTimeout(ctx, r.o.LockTimeout)
	defer cancel()
	l, err := r.lock(ctx, r.path("HEAD"), []byte("ref: "+target+"\n"))
	if err != nil {
		return fmt.Errorf("set HEAD: %w", err)
	}
	if err := l.commit(); err != nil {
		return fmt.Errorf("set HEAD: %w", err)
	}
	return syncDir(r.dir)
}
