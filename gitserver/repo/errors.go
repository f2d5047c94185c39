package repo

import "errors"

// Errors that callers tell apart with [errors.Is].
var (
	// ErrNotRepository means that the directory holds no bare repository.
	ErrNotRepository = errors.New("not a bare git repository")
	// ErrFormat means that a repository is of a kind that is not supported:
	// SHA-256, the reftable backend, alternates.
	ErrFormat = errors.New("unsupported repository format")
	// ErrExists means that Create found something in its place.
	ErrExists = errors.New("already exists")
	// ErrNotFound means that an object or a reference does not exist.
	ErrNotFound = errors.New("not found")
	// ErrType means that an object is not of the type that was asked for.
	ErrType = errors.New("object has another type")
	// ErrCorrupt means that a file of the repository is damaged.
	ErrCorrupt = errors.New("repository is damaged")
	// ErrBusy means that somebody else is at work in the repository, and that
	// it is worth trying again later.
	ErrBusy = errors.New("repository is busy")

	// ErrBadPack means that the pack from the wire cannot be parsed: garbage,
	// truncated, wrong checksum, trailing data, duplicate objects.
	ErrBadPack = errors.New("bad pack")
	// ErrBadObject means that an object fails the checks of `git fsck`.
	ErrBadObject = errors.New("bad object")
	// ErrCollision means that an object carries the marks of a SHA-1 attack.
	ErrCollision = errors.New("object is part of a SHA-1 collision attack")
	// ErrMissing means that a link of a new object, the base of a delta or a
	// tip is neither in the pack nor in the repository.
	ErrMissing = errors.New("object is missing")
	// ErrLimit means that a limit of Options was exceeded.
	ErrLimit = errors.New("limit exceeded")
	// ErrFilter means that a filter of a partial clone makes no sense, or is of
	// a kind that is not supported.
	ErrFilter = errors.New("invalid filter")
	// ErrNoCommits means that a Deepening leaves no commit at all.
	ErrNoCommits = errors.New("no commits are left")

	// ErrMemory means that no memory was left for too long.
	ErrMemory = errors.New("too much memory is in use")

	// ErrRefName means that a reference has a name that git does not allow.
	ErrRefName = errors.New("invalid reference name")
	// ErrRefStale means that a reference does not have the expected old value.
	ErrRefStale = errors.New("reference changed meanwhile")
	// ErrRefConflict means that a/b and a cannot both be references.
	ErrRefConflict = errors.New("reference conflicts with another one")
	// ErrRefLocked means that somebody else held a reference's lock file until
	// the deadline.
	ErrRefLocked = errors.New("reference is locked")
	// ErrRefDuplicate means that a transaction names one reference twice.
	ErrRefDuplicate = errors.New("reference is named twice")
	// ErrRefSymbolic means that the reference is symbolic and not updated through.
	ErrRefSymbolic = errors.New("reference is symbolic")
	// ErrRefObject means that the new value does not exist, or that a branch
	// would point to something that is not a commit.
	ErrRefObject = errors.New("reference cannot point to that object")
)
