package repo

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A packInfo is what a directory says of a pack that has not been opened.
type packInfo struct {
	name  string    // of its files, without what follows the dot
	n     int       // objects; a little more where offsets are large
	size  int64     // bytes of the pack itself
	time  time.Time // none of its objects came later
	fixed bool      // not to be joined or swept
}

// fixing are the files that say that a pack is to be left alone: somebody
// keeps it (a push under way does, too), its objects may be missing links, or
// it is one of C git's cruft packs, whose objects have times of their own.
var fixing = []string{keepSuffix, ".promisor", ".mtimes"}

// listPacks lists the packs that have an index, without opening them.
func (r *Repo) listPacks() ([]packInfo, error) {
	dir := r.packDir()
	names, err := readNames(dir)
	if isNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	have := make(map[string]bool, len(names))
	for _, n := range names {
		have[n] = true
	}
	var packs []packInfo
	for _, n := range names {
		stem, ok := strings.CutSuffix(n, ".idx")
		if !ok || !strings.HasPrefix(stem, "pack-") {
			continue
		}
		idx, err := os.Stat(filepath.Join(dir, n))
		if isNotExist(err) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		pack, err := os.Stat(filepath.Join(dir, stem+".pack"))
		if isNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p := packInfo{name: stem, size: pack.Size(), time: pack.ModTime()}
		p.n = int((idx.Size() - int64(idxNames+2*hashSize)) / int64(idxPerObj))
		p.fixed = slices.ContainsFunc(fixing, func(ext string) bool { return have[stem+ext] })
		packs = append(packs, p)
	}
	return packs, nil
}

func (r *Repo) packDir() string { return filepath.Join(r.dir, "objects", "pack") }

// rollUp chooses the packs to be joined so that each pack has at least twice
// the objects of the next smaller one, as `git repack --geometric=2` does. Few
// packs are left, and an object is copied only when the pack that it lies in
// has at least doubled: about as often as the number of objects can be halved.
func rollUp(packs []packInfo) []packInfo {
	const factor = 2
	var list []packInfo
	for _, p := range packs {
		if !p.fixed {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b packInfo) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.name, b.name))
	})
	split := 0
	for i := len(list) - 1; i > 0; i-- {
		if list[i].n < factor*list[i-1].n {
			split = i + 1
			break
		}
	}
	total := 0
	for _, p := range list[:split] {
		total += p.n
	}
	// What is joined may be too large for its next neighbour.
	for split > 0 && split < len(list) && list[split].n < factor*total {
		total += list[split].n
		split++
	}
	return list[:split]
}
