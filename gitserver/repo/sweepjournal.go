package repo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sweepJournal lists what a sweep removes. Objects link to each other across
// packs, so that all of them have to go or none: once the journal is there, a
// crash does not stop the sweep, as the next one to push or to sweep ends it.
const sweepJournal = ownDir + "/sweeping"

const journalEnd = "end"

// writeJournal makes the journal appear, durably and at once.
func (r *Repo) writeJournal(packs []packInfo, loose []looseInfo) error {
	tmp := r.path(sweepJournal + ".new")
	if err := r.remove(tmp); err != nil {
		return err
	}
	var b bytes.Buffer
	for _, p := range packs {
		fmt.Fprintf(&b, "pack %s\n", p.name)
	}
	for _, o := range loose {
		fmt.Fprintf(&b, "loose %s\n", o.hash)
	}
	fmt.Fprintln(&b, journalEnd)
	if err := writeSynced(tmp, b.Bytes()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := r.rename(tmp, r.path(sweepJournal)); err != nil {
		return err
	}
	return r.sync(r.path(ownDir), syncDir)
}

// followJournal removes what the journal lists, then the journal. The lock of
// pushes is held alone.
func (r *Repo) followJournal() error {
	data, err := os.ReadFile(r.path(sweepJournal))
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var packs []packInfo
	var loose []looseInfo
	whole := false
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		kind, name, _ := strings.Cut(lines.Text(), " ")
		switch kind {
		case "pack":
			packs = append(packs, packInfo{name: filepath.Base(name)})
		case "loose":
			h, ok := unhexHash(name)
			if !ok {
				return fmt.Errorf("%w: %s", ErrCorrupt, r.path(sweepJournal))
			}
			loose = append(loose, looseInfo{hash: h})
		case journalEnd:
			whole = true
		}
	}
	if !whole {
		return fmt.Errorf("%w: %s", ErrCorrupt, r.path(sweepJournal))
	}
	// It may name commits that are about to go; git makes it again.
	err = errors.Join(r.removeAll(r.path("objects/info/commit-graph")), r.removeAll(r.path("objects/info/commit-graphs")))
	if err := errors.Join(err, r.removePacks(packs), r.removeLoose(loose)); err != nil {
		return err
	}
	if err := r.sync(r.packDir(), syncDir); err != nil && !isNotExist(err) {
		return err
	}
	return r.remove(r.path(sweepJournal))
}

// endSweep ends a sweep that was killed.
func (r *Repo) endSweep(ctx context.Context) error {
	if _, err := os.Lstat(r.path(sweepJournal)); isNotExist(err) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.o.LockTimeout)
	defer cancel()
	lock, err := r.flock(ctx, pushesLock, unix.LOCK_EX)
	if err != nil {
		return err
	}
	return errors.Join(r.followJournal(), lock.Close())
}
