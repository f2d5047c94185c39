package repo

import (
	"bufio"
	"bytes"
	"errors"
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
	p := &packedRefs{}
	malformed := errors.New("malformed line")
	last := -1 // what a peeled line belongs to
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		switch {
		case len(line) == 0:
			return nil, fmt.Errorf("line %d: %w", n, malformed)
		case line[0] == '#':
			if traits, ok := bytes.CutPrefix(line, []byte("# pack-refs with:")); ok {
				p.fully = slices.Contains(strings.Fields(string(traits)), "fully-peeled")
			}
		case line[0] == '^':
			h, _, ok := hexLine(append(bytes.Clone(line[1:]), '\n'))
			if !ok {
				return nil, fmt.Errorf("line %d: %w", n, malformed)
			}
			if last >= 0 {
				p.refs[last].Peeled = h
			}
			last = -1
		default:
			if len(line) < 2*hashSize+2 || line[2*hashSize] != ' ' {
				return nil, fmt.Errorf("line %d: %w", n, malformed)
			}
			h, _, ok := hexLine(append(bytes.Clone(line[:2*hashSize]), '\n'))
			if !ok {
				return nil, fmt.Errorf("line %d: %w", n, malformed)
			}
			name := string(bytes.TrimRight(line[2*hashSize+1:], "\r"))
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
