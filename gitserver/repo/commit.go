package repo

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
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
func (c *Commit) Subject() string {
	text, _, _ := strings.Cut(strings.TrimLeft(c.Message, "\n"), "\n\n")
	return strings.Join(strings.Fields(text), " ")
}

// Commit reads the commit h. The error is ErrType if h is something else.
func (o *Objects) Commit(h Hash) (*Commit, error) {
	data, err := o.typed(h, plumbing.CommitObject)
	if err != nil {
		return nil, err
	}
	c, err := parseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("%w: commit %s: %w", ErrCorrupt, h, err)
	}
	c.Hash = h
	return c, nil
}

// parseCommit reads a commit leniently: old ones may break rules that new ones
// are held to.
func parseCommit(b []byte) (*Commit, error) {
	c := new(Commit)
	rest, ok := bytes.CutPrefix(b, []byte("tree "))
	if !ok {
		return nil, bad("missingTree", "invalid format - expected 'tree' line")
	}
	if c.Tree, b, ok = hexLine(rest); !ok {
		return nil, bad("badTreeSha1", "invalid 'tree' line format - bad sha1")
	}
	for {
		line, rest, ok := bytes.Cut(b, []byte{'\n'})
		b = rest
		key, value, _ := bytes.Cut(line, []byte{' '})
		switch {
		case len(line) == 0 || !ok:
			c.Message = string(b)
			return c, nil
		case string(key) == "parent":
			h, _, ok := hexLine(append(bytes.Clone(value), '\n'))
			if !ok {
				return nil, bad("badParentSha1", "invalid 'parent' line format - bad sha1")
			}
			c.Parents = append(c.Parents, h)
		case string(key) == "author" && c.Author == Signature{}:
			c.Author = parseSignature(string(value))
		case string(key) == "committer" && c.Committer == Signature{}:
			c.Committer = parseSignature(string(value))
		}
	}
}

func parseSignature(s string) Signature {
	var sig Signature
	name, rest, ok := strings.Cut(s, "<")
	sig.Name = strings.TrimSpace(name)
	if !ok {
		return sig
	}
	end := strings.LastIndexByte(rest, '>')
	if end < 0 {
		return sig
	}
	sig.Email = rest[:end]
	seconds, zone, _ := strings.Cut(strings.TrimSpace(rest[end+1:]), " ")
	v, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return sig
	}
	offset := 0
	if z, err := strconv.Atoi(zone); err == nil {
		offset = (z/100*60 + z%100) * 60
	}
	sig.When = time.Unix(v, 0).In(time.FixedZone(zone, offset))
	return sig
}

// maxTags is how many tags may point to each other.
const maxTags = 100

// Peel follows tags from h to something that is no tag.
func (o *Objects) Peel(h Hash) (Hash, ObjectType, error) {
	for range maxTags {
		t, err := o.Type(h)
		if err != nil || t != plumbing.TagObject {
			return h, t, err
		}
		data, err := o.typed(h, plumbing.TagObject)
		if err != nil {
			return h, 0, err
		}
		rest, ok := bytes.CutPrefix(data, []byte("object "))
		if !ok {
			return h, 0, fmt.Errorf("%w: tag %s", ErrCorrupt, h)
		}
		if h, _, ok = hexLine(rest); !ok {
			return h, 0, fmt.Errorf("%w: tag %s", ErrCorrupt, h)
		}
	}
	return h, 0, fmt.Errorf("%w: more than %d tags in a row", ErrLimit, maxTags)
}

// IsAncestor says whether a is b or one of its ancestors.
func (o *Objects) IsAncestor(ctx context.Context, a, b Hash) (bool, error) {
	if a == b {
		return true, nil
	}
	ca, err := o.Commit(a)
	if err != nil {
		return false, err
	}
	// Commits much older than a cannot have it as an ancestor; clocks may be
	// wrong by some days.
	const slop = 5 * 24 * time.Hour
	limit := ca.Committer.When.Add(-slop)
	seen := map[Hash]bool{b: true}
	queue := []Hash{b}
	for len(queue) > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		c, err := o.Commit(queue[0])
		if err != nil {
			return false, err
		}
		queue = queue[1:]
		if c.Committer.When.Before(limit) {
			continue
		}
		for _, p := range c.Parents {
			if p == a {
				return true, nil
			}
			if !seen[p] {
				seen[p] = true
				queue = append(queue, p)
			}
		}
	}
	return false, nil
}
