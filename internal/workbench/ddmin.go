package workbench

import "slices"

// ddmin returns a subset of parts that same still says yes to, and of which no
// part can be left out alone. It takes for granted that all parts together pass.
// With an error it returns the smallest subset so far.
func ddmin[T any](parts []T, same func([]T) (bool, error)) ([]T, error) {
	if len(parts) == 0 {
		return parts, nil
	}
	if none, err := same(nil); none || err != nil {
		if none {
			parts = nil
		}
		return parts, err
	}
	for pieces := 2; len(parts) > 1; {
		if piece, err := first(parts, pieces, false, same); err != nil {
			return parts, err
		} else if piece != nil {
			parts, pieces = piece, 2
			continue
		}
		rest, err := first(parts, pieces, true, same)
		switch {
		case err != nil || rest == nil && pieces >= len(parts):
			return parts, err
		case rest == nil:
			pieces = min(2*pieces, len(parts))
		default:
			parts, pieces = rest, max(pieces-1, 2)
		}
	}
	return parts, nil
}

// first cuts parts into so many pieces, and returns the first piece that passes
// alone, or the first rest that passes without one; nil if there is none.
func first[T any](parts []T, pieces int, without bool, same func([]T) (bool, error)) ([]T, error) {
	for i := range pieces {
		from, to := i*len(parts)/pieces, (i+1)*len(parts)/pieces
		some := parts[from:to]
		if without {
			some = slices.Concat(parts[:from], parts[to:])
		}
		if ok, err := same(some); ok || err != nil {
			return some, err
		}
	}
	return nil, nil
}
