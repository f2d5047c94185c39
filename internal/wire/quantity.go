package wire

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// A Quantity is a number of dynos, or by how much to change it: 2 or "+1" in
// JSON.
type Quantity struct {
	N        int
	Relative bool
}

var errQuantity = errors.New(`a quantity is a number of dynos, such as 2, or a change, such as "+1"`)

// Of returns the quantity that follows from the present one, 0 at least.
func (q Quantity) Of(present int) int {
	if q.Relative {
		return max(present+q.N, 0)
	}
	return q.N
}

// MarshalJSON writes a number, or a string with a sign.
func (q Quantity) MarshalJSON() ([]byte, error) {
	if !q.Relative {
		return json.Marshal(q.N)
	}
	if q.N < 0 {
		return json.Marshal(strconv.Itoa(q.N))
	}
	return json.Marshal("+" + strconv.Itoa(q.N))
}

// UnmarshalJSON reads what MarshalJSON writes, and a string without a sign.
func (q *Quantity) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || raw[0] != '"' {
		q.Relative = false
		return json.Unmarshal(raw, &q.N)
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	parsed, err := ParseQuantity(text)
	*q = parsed
	return err
}

// ParseQuantity reads "2", "+1" or "-1". Numbers have nine digits at most.
func ParseQuantity(text string) (Quantity, error) {
	n, err := strconv.Atoi(text)
	if err != nil || len(text) > 10 {
		return Quantity{}, errQuantity
	}
	return Quantity{N: n, Relative: strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-")}, nil
}
