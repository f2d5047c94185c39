package state

import "cmp"

// A Page is a part of a sorted list. Its zero value is all of it, by name.
type Page struct {
	By    string // what it is sorted by: "name" (if empty), or "id"
	From  string // where it begins, in the order that it is read in; "" for the start
	After bool   // leaves out From itself
	To    string // where it ends, itself included; "" for the end
	Desc  bool   // is read from the last to the first: From is then above To
	Max   int    // how many at most; 0 for all
}

// CheckPage returns the page with what was left out, or [ErrInvalid].
func CheckPage(p Page) (Page, error) {
	p.By = cmp.Or(p.By, "name")
	if p.By != "name" && p.By != "id" {
		return Page{}, Invalid("apps are sorted by name or by id, not by %.20q", p.By)
	}
	return p, nil
}
