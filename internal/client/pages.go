package client

import (
	"context"
	"fmt"
	"net/http"
)

// maxPage is how many things a page has at most.
const maxPage = 1000

// maxPages bounds a list, whatever the server says of its end.
const maxPages = 10_000

// pages reads a whole list: the server says in Next-Range where the next page
// begins. First is the range of the first page; the server's own if empty.
func pages[T any](ctx context.Context, c *Client, path, first string) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	all := []T{}
	within := first
	for range maxPages {
		var page []T
		header, err := c.exchange(ctx, http.MethodGet, path, within, nil, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		next := header.Get("Next-Range")
		if next == "" {
			return all, nil
		}
		if next == within || len(page) == 0 {
			break
		}
		within = next
	}
	return nil, fmt.Errorf("the list of %s does not end: is it newer than this client?", c.URL)
}
