package repo

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// settle checks what needs all objects: that links lead to objects of the
// right type, and what .gitmodules and .gitattributes hold. Links to what is
// nowhere are kept for CheckConnected.
func (g *ingest) settle(ctx context.Context, q *Quarantine, order []int32) error {
	seen := 0
	for _, c := range g.checkers {
		err := c.links.each(func(l link) error {
			if seen++; seen&1023 == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return g.settleLink(q, order, l)
		})
		if err != nil {
			return err
		}
	}
	for _, c := range g.checkers {
		for h, kind := range c.notes {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := g.checkNoted(ctx, q, h, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxMissing is how many missing links are remembered: one is enough to refuse
// the pack, but what a push that waits ahead brings must be looked up again.
const maxMissing = 1 << 10

func (g *ingest) settleLink(q *Quarantine, order []int32, l link) error {
	if pos, ok := q.front.idx.find(l.h); ok {
		return checkLink(l, g.objects.at(order[pos]).typ)
	}
	pl, ok, err := q.db.find(l.h)
	if err != nil {
		return err
	}
	if !ok {
		q.lost++
		if len(q.missing) < maxMissing {
			q.missing = append(q.missing, l)
		}
		return nil
	}
	q.noteBehind(l)
	return q.checkPlaced(l, pl)
}

// checkPlaced checks the type of an object that the repository has.
func (o *Objects) checkPlaced(l link, pl place) error {
	var t ObjectType
	var err error
	if pl.loose() {
		t, err = o.Type(l.h)
	} else {
		t, err = pl.pack.kind(pl.off)
	}
	if err != nil {
		return err
	}
	return checkLink(l, t)
}

func checkLink(l link, t ObjectType) error {
	if l.t == t {
		return nil
	}
	return &ObjectError{Hash: l.h, Type: t, ID: "badType", Text: fmt.Sprintf("another object takes it for a %s", l.t)}
}

// checkNoted looks into a blob that a tree calls .gitmodules or .gitattributes.
func (g *ingest) checkNoted(ctx context.Context, q *Quarantine, h Hash, kind noteKind) error {
	t, size, err := q.Stat(h)
	switch {
	case isMissing(err):
		return missingNoted(h, kind)
	case err != nil:
		return err
	}
	if err := notedFile(h, t, kind, over(size, q.repo.o.MaxHeldSize), size); err != nil {
		return err
	}
	if err := g.reserve(ctx, &g.large, size); err != nil {
		return err
	}
	_, data, err := q.Object(h)
	if err != nil {
		return err
	}
	if kind&noteModules != 0 {
		err = checkModules(data)
	}
	if err == nil && kind&noteAttributes != 0 {
		err = checkAttributes(data)
	}
	return inObject(err, h, t)
}

// missingNoted refuses what cannot be looked into now: a push that brings it
// later would not look into it, nor is a submodule a place for such a file.
func missingNoted(h Hash, kind noteKind) error {
	id, name := "gitattributesMissing", ".gitattributes"
	if kind&noteModules != 0 {
		id, name = "gitmodulesMissing", ".gitmodules"
	}
	return &ObjectError{Hash: h, Type: plumbing.BlobObject, ID: id, Text: "unable to read " + name + " blob"}
}

// notedFile checks type and size of what is called .gitmodules or .gitattributes.
func notedFile(h Hash, t ObjectType, kind noteKind, huge bool, size int64) error {
	id, text := "", ""
	switch {
	case t != plumbing.BlobObject && kind&noteModules != 0:
		id, text = "gitmodulesBlob", "non-blob found at .gitmodules"
	case t != plumbing.BlobObject:
		id, text = "gitattributesBlob", "non-blob found at .gitattributes"
	case kind&noteModules != 0 && huge:
		id, text = "gitmodulesLarge", ".gitmodules too large to parse"
	case kind&noteAttributes != 0 && (size > maxAttributesFile || huge):
		id, text = "gitattributesLarge", ".gitattributes too large to parse"
	default:
		return nil
	}
	return &ObjectError{Hash: h, Type: t, ID: id, Text: text}
}
