package repo

import (
	"bytes"

	"github.com/go-git/go-git/v5/plumbing"
)

// Modes of tree entries.
const (
	modeType    = 0o170000
	modeTree    = 0o040000
	modeFile    = 0o100000
	modeLink    = 0o120000
	modeGitlink = 0o160000
)

// A treeEntry is one line of a tree.
type treeEntry struct {
	mode uint32
	name []byte
	hash Hash
}

// nextTreeEntry takes the first entry off b.
func nextTreeEntry(b []byte) (e treeEntry, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && b[i] != ' '; i++ {
		c := b[i] - '0'
		if c > 7 || i > 6 {
			return e, nil, false
		}
		e.mode = e.mode<<3 | uint32(c)
	}
	if i == 0 || i >= len(b) {
		return e, nil, false
	}
	b = b[i+1:]
	n := bytes.IndexByte(b, 0)
	if n <= 0 || len(b) < n+1+hashSize {
		return e, nil, false
	}
	e.name = b[:n]
	e.hash = Hash(b[n+1 : n+1+hashSize])
	return e, b[n+1+hashSize:], true
}

// linkType is the type of object that an entry refers to, and whether it
// refers to one of this repository.
func (e *treeEntry) linkType() (ObjectType, bool) {
	switch e.mode & modeType {
	case modeTree:
		return plumbing.TreeObject, true
	case modeGitlink:
		return 0, false
	}
	return plumbing.BlobObject, true
}

// A blobNote is told of blobs whose content git gives a meaning to.
type blobNote func(h Hash, kind noteKind)

type noteKind uint8

const (
	noteModules noteKind = 1 << iota
	noteAttributes
)

// checkTree applies git's fsck_tree; entries named like .git in the eyes of
// some file system are errors, as are other names that a checkout must not see.
func checkTree(b []byte, link linkFunc, note blobNote) error {
	var prev treeEntry
	var stack [][]byte
	for len(b) > 0 {
		padded := b[0] == '0'
		e, rest, ok := nextTreeEntry(b)
		if !ok {
			return badTree(b)
		}
		b = rest
		if padded {
			return bad("zeroPaddedFilemode", "contains zero-padded file modes")
		}
		if e.hash.IsZero() {
			return bad("nullSha1", "contains entries pointing to null sha1")
		}
		if err := checkEntryName(&e, note); err != nil {
			return err
		}
		if prev.name != nil {
			if err := checkOrder(&prev, &e, &stack); err != nil {
				return err
			}
		}
		switch e.mode & modeType {
		case modeTree, modeFile, modeLink, modeGitlink:
		default:
			return bad("badFilemode", "contains an entry that is no file, tree, link or submodule")
		}
		if t, ok := e.linkType(); ok {
			link(e.hash, t)
		}
		prev = e
	}
	return nil
}

// badTree tells an empty name from other malformed entries.
func badTree(b []byte) error {
	if i := bytes.IndexByte(b, ' '); i > 0 && i < 7 && i+1 < len(b) && b[i+1] == 0 {
		return bad("emptyName", "contains empty pathname")
	}
	return bad("badTree", "cannot be parsed as a tree")
}

// nameClass sorts bytes of names: most names hold nothing to look at twice.
var nameClass = [256]uint8{'/': 1, '\\': 2}

// checkEntryName refuses names that must never be checked out.
func checkEntryName(e *treeEntry, note blobNote) error {
	name := e.name
	var class uint8
	for _, c := range name {
		class |= nameClass[c]
	}
	if class&1 != 0 {
		return bad("fullPathname", "contains full pathnames")
	}
	c := name[0]
	// Names of interest begin with a dot, with g (git~1, gi7eba~1) or with a
	// character that HFS+ ignores.
	if c != '.' && c|0x20 != 'g' && c < 0x80 && class == 0 {
		return nil
	}
	return checkOddName(e, note)
}

// checkOddName looks closely at a name that some file system may take for
// another one.
func checkOddName(e *treeEntry, note blobNote) error {
	name := e.name
	switch {
	case string(name) == ".":
		return bad("hasDot", "contains '.'")
	case string(name) == "..":
		return bad("hasDotdot", "contains '..'")
	case isHFSDot(name, "git"):
		return bad("hasDotgit", "contains '.git'")
	}
	modules := isHFSDot(name, "gitmodules")
	// To NTFS a backslash separates directories.
	for part, more := name, true; more; {
		if isNTFSDotGit(part) {
			return bad("hasDotgit", "contains '.git'")
		}
		modules = modules || isNTFSDot(part, ntfsModules)
		_, part, more = bytes.Cut(part, []byte{'\\'})
	}
	symlink := e.mode&modeType == modeLink
	if modules {
		if symlink {
			return bad("gitmodulesSymlink", ".gitmodules is a symbolic link")
		}
		note(e.hash, noteModules)
	}
	if !symlink && (isHFSDot(name, "gitattributes") || isNTFSDot(name, ntfsAttributes)) {
		note(e.hash, noteAttributes)
	}
	return nil
}

// checkOrder applies git's verify_ordered: entries are sorted as if trees
// ended with a slash, and no name stands twice, not even apart as in "foo",
// "foo.bar", "foo/". Candidates for the latter wait on the stack.
func checkOrder(a, b *treeEntry, stack *[][]byte) error {
	n := min(len(a.name), len(b.name))
	switch cmp := bytes.Compare(a.name[:n], b.name[:n]); {
	case cmp < 0:
		return nil
	case cmp > 0:
		return errUnordered()
	case len(a.name) == len(b.name):
		return errDuplicateEntry()
	}
	c1, c2 := byteAt(a, n), byteAt(b, n)
	if c1 == 0 && c2 < '/' {
		*stack = append(*stack, a.name)
	} else if c2 == '/' && c1 < '/' {
		for len(*stack) > 0 {
			last := (*stack)[len(*stack)-1]
			*stack = (*stack)[:len(*stack)-1]
			rest, ok := bytes.CutPrefix(b.name, last)
			if !ok {
				continue
			}
			if len(rest) == 0 {
				return errDuplicateEntry()
			}
			if rest[0] < '/' {
				*stack = append(*stack, last)
				break
			}
		}
	}
	if c1 < c2 {
		return nil
	}
	return errUnordered()
}

func errUnordered() error { return bad("treeNotSorted", "not properly sorted") }

func errDuplicateEntry() error {
	return bad("duplicateEntries", "contains duplicate file entries")
}

func byteAt(e *treeEntry, i int) byte {
	switch {
	case i < len(e.name):
		return e.name[i]
	case e.mode&modeType == modeTree:
		return '/'
	}
	return 0
}
