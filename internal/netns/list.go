package netns

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// listTries bounds how often the kernel is asked for a list that changes all
// the time.
const listTries = 20

// list asks the kernel for a list, and again if it says that the list has changed
// while it was read (NLM_F_DUMP_INTR): other networks come and go meanwhile. If
// it never holds still, the last answer has to do.
func list[T any](ask func() ([]T, error)) (all []T, err error) {
	for range listTries {
		all, err = ask()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
	return all, nil
}
