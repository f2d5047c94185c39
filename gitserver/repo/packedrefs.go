package repo

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
)

// packedRefs is the content of the file packed-refs, by name.
type packedRefs struct {
	refs  []Ref
	fully bool // tags without a peeled value lead to nothing else
}

const packedHeader = "# pack-refs with: peeled fully-peeled sorted \n"

func (r *Repo) readPacked() (*packedRefs, error) {
	data, err := os.ReadFile(r.path("packed-refs"))
	if isNotExist(err) {
		return &packedRefs{}, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := parsePacked(data)
	if err != nil {
		return nil, fmt.Errorf("%w: packed-refs: %w", ErrCorrupt, err)
	}
	return p, nil
}

// parsePacked reads packed-refs (git-pack-refs). Lines with names that are no
// references' are left out.
func parsePacked(data []byte) (*packedRefs, error) {
	p := &packedRefs{refs: make([]Ref, 0, bytes.Count(data, []byte{'\n'}))}
	text := string(data) // the names are parts of it
	last := -1           // what a peeled line belongs to
	for n := 1; len(text) > 0; n++ {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		malformed := func() error { return fmt.Errorf("line %d: malformed line", n) }
		switch {
		case line == "":
			return nil, malformed()
		case line[0] == '#':
			if traits, ok := strings.CutPrefix(line, "# pack-refs with:"); ok {
				p.fully = slices.Contains(strings.Fields(traits), "fully-peeled")
			}
		case line[0] == '^':
			h, ok := unhexHash(line[1:])
			if !ok || len(line) != 1+2*hashSize {
				return nil, malformed()
			}
			if last >= 0 {
				p.refs[last].Peeled = h
			}
			last = -1
		default:
			h, ok := unhexHash(line)
			if !ok || len(line) < 2*hashSize+2 || line[2*hashSize] != ' ' {
				return nil, malformed()
			}
			name := strings.TrimRight(line[2*hashSize+1:], "\r")
			if last = -1; CheckRefName(name) == nil {
				last = len(p.refs)
				p.refs = append(p.refs, Ref{Name: name, Hash: h})
			}
		}
	}
	if !slices.IsSortedFunc(p.refs, compareRef) {
		slices.SortStableFunc(p.refs, compareRef)
	}
	return p, nil
}

// unhexHash decodes the hash that s begins with.
func unhexHash(s string) (h Hash, ok bool) {
	if len(s) < 2*hashSize {
		return h, false
	}
	for i := range h {
		hi, lo := unhex(s[2*i]), unhex(s[2*i+1])
		if hi > 15 || lo > 15 {
			return h, false
		}
		h[i] = hi<<4 | lo
	}
	return h, true
}

func compareRef(a, b Ref) int { return strings.Compare(a.Name, b.Name) }

func (p *packedRefs) find(name string) (Ref, bool) {
	i, ok := slices.BinarySearchFunc(p.refs, name, func(r Ref, n string) int { return strings.Compare(r.Name, n) })
	if !ok {
		return Ref{}, false
	}
	return p.refs[i], true
}

// below finds a reference under name + "/".
func (p *packedRefs) below(name string) (string, bool) {
	prefix := name + "/"
	i, _ := slices.BinarySearchFunc(p.refs, prefix, func(r Ref, n string) int { return strings.Compare(r.Name, n) })
	if i < len(p.refs) && strings.HasPrefix(p.refs[i].Name, prefix) {
		return p.refs[i].Name, true
	}
	return "", false
}

// write encodes the references but those in without. Unless the file said so
// before, a missing peeled value is not claimed to be a fact.
func (p *packedRefs) write(w *bufio.Writer, without map[string]bool) error {
	header := packedHeader
	if !p.fully {
		header = "# pack-refs with: sorted \n"
	}
	w.WriteString(header) //nolint:errcheck // sticks
	for _, r := range p.refs {
		if without[r.Name] {
			continue
		}
		fmt.Fprintf(w, "%s %s\n", r.Hash, r.Name) //nolint:errcheck // sticks
		if !r.Peeled.IsZero() {
			fmt.Fprintf(w, "^%s\n", r.Peeled) //nolint:errcheck // sticks
		}
	}
	return w.Flush()
}
