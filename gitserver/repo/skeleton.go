package repo

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// A Signature is who did something and when.
type Signature struct {
	Name, Email string
	When        time.Time
}

// A Commit is a parsed commit.
type Commit struct {
	Hash, Tree        Hash
	Parents           []Hash
	Author, Committer Signature
	Message           string
}

// Subject is the first paragraph of the message on one line.
func (c *Commit) Subject() string { return "" }

// Commit reads the commit h. The error is ErrType if h is something else.
func (o *Objects) Commit(h Hash) (*Commit, error) { return nil, nil }

// Peel follows tags from h to something that is no tag.
func (o *Objects) Peel(h Hash) (Hash, ObjectType, error) { return h, 0, nil }

// IsAncestor says whether a is b or one of its ancestors.
func (o *Objects) IsAncestor(ctx context.Context, a, b Hash) (bool, error) { return false, nil }

// Tree is the tree of a commit (or of a tag that leads to one, or a tree) as a
// read-only file system: no checkout. It implements [fs.ReadDirFS],
// [fs.ReadFileFS], [fs.StatFS] and [fs.ReadLinkFS]. Open and Stat follow
// symbolic links inside of the tree. Submodules are empty directories. It is
// readable until the quarantine is discarded or the repository is closed; a
// migrated quarantine stays readable.
func (o *Objects) Tree(commit Hash) (fs.FS, error) { return nil, nil }

// A Ref is a reference that exists.
type Ref struct {
	Name   string
	Hash   Hash
	Peeled Hash   // what an annotated tag leads to, when packed-refs knows it; else zero (see Objects.Peel)
	Target string // the name that a symbolic reference points to, else ""
}

// Refs lists the references below refs/, loose and packed, by name. Symbolic
// ones carry the value that they lead to; broken ones are left out. HEAD is
// not among them.
func (r *Repo) Refs() ([]Ref, error) { return nil, nil }

// Ref reads one reference. The error is ErrNotFound if it does not exist.
func (r *Repo) Ref(name string) (Ref, error) { return Ref{}, nil }

// Head is the name that HEAD points to, which need not exist ("refs/heads/main"),
// or "" if HEAD is detached.
func (r *Repo) Head() (target string, err error) { return "", nil }

// SetHead points HEAD to a branch.
func (r *Repo) SetHead(ctx context.Context, target string) error { return nil }

// CheckRefName applies the rules of `git check-ref-format` to a name that must
// start with "refs/". The error wraps ErrRefName and says which rule is broken.
func CheckRefName(name string) error { return nil }

// A RefUpdate moves one reference. A zero Old says that it must not exist, a
// zero New deletes it.
type RefUpdate struct {
	Name     string
	Old, New Hash
}

// A RefTx holds the locks of references that passed all checks. Exactly one
// of Commit and Abort ends it (Abort after Commit does nothing).
type RefTx struct{}

// Update locks the references, compares their old values, looks for
// directory/file conflicts and for the new objects (which must have been
// migrated), and prepares the new values on disk. What is wrong with a single
// update is its verdict; the error is for what stops all of them.
func (r *Repo) Update(ctx context.Context, updates []RefUpdate) (*RefTx, error) { return nil, nil }

// Verdicts has an entry per update, in their order: nil for one that Commit
// will move, else an error that wraps one of the ErrRef sentinels.
func (t *RefTx) Verdicts() []error { return nil }

// Failed says whether any verdict is an error: an atomic push aborts then.
func (t *RefTx) Failed() bool { return false }

// Commit moves the references whose verdict is nil and releases all locks.
func (t *RefTx) Commit() error { return nil }

// Abort releases all locks and moves nothing.
func (t *RefTx) Abort() error { return nil }

// CleanStale removes what a killed server left: quarantines, temporary files
// and its lock files (those of C git stay). Call it before serving.
func (r *Repo) CleanStale() error { return nil }

// WritePack writes a pack of everything that is reachable from wants and not
// from haves. Haves that are not in the repository are ignored.
func (r *Repo) WritePack(ctx context.Context, w io.Writer, wants, haves []Hash, o PackOptions) error {
	return nil
}
