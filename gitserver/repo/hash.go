package repo

import (
	"fmt"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/pjbgf/sha1cd"
)

// Hash is an object's name.
type Hash = plumbing.Hash

// ObjectType is commit, tree, blob or tag.
type ObjectType = plumbing.ObjectType

const hashSize = 20

// A hasher names objects and looks for the marks of collision attacks. It is
// used by one goroutine.
type hasher struct {
	h    sha1cd.CollisionResistantHash
	buf  [hashSize]byte
	head [32]byte
}

func newHasher() *hasher {
	return &hasher{h: sha1cd.New().(sha1cd.CollisionResistantHash)}
}

// start begins an object whose content follows through write.
func (x *hasher) start(t ObjectType, size int64) {
	x.h.Reset()
	b := append(x.head[:0], t.String()...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, size, 10)
	x.h.Write(append(b, 0))
}

func (x *hasher) write(p []byte) {
	x.h.Write(p)
}

func (x *hasher) finish() (Hash, error) {
	sum, collision := x.h.CollisionResistantSum(x.buf[:0])
	h := Hash(sum)
	if collision {
		return h, fmt.Errorf("%w: %s", ErrCollision, h)
	}
	return h, nil
}

func (x *hasher) sum(t ObjectType, data []byte) (Hash, error) {
	x.start(t, int64(len(data)))
	x.write(data)
	return x.finish()
}

func isDelta(t ObjectType) bool {
	return t == plumbing.OFSDeltaObject || t == plumbing.REFDeltaObject
}

// parseType reads the name of an object type as it stands in tags and loose
// objects.
func parseType(s string) (ObjectType, bool) {
	switch s {
	case "commit":
		return plumbing.CommitObject, true
	case "tree":
		return plumbing.TreeObject, true
	case "blob":
		return plumbing.BlobObject, true
	case "tag":
		return plumbing.TagObject, true
	}
	return plumbing.InvalidObject, false
}
