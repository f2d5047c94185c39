package netns

import (
	"errors"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestListThatChangesIsAskedForAgain(t *testing.T) {
	asked := 0
	all, err := list(func() ([]int, error) {
		if asked++; asked < 3 {
			return []int{1}, netlink.ErrDumpInterrupted
		}
		return []int{1, 2}, nil
	})
	if len(all) != 2 || err != nil || asked != 3 {
		t.Errorf("list = %v, %v after %d questions; want two entries after 3", all, err, asked)
	}
	all, err = list(func() ([]int, error) { return []int{1}, netlink.ErrDumpInterrupted })
	if len(all) != 1 || err != nil {
		t.Errorf("list that never holds still = %v, %v; want what there was", all, err)
	}
	broken := errors.New("broken")
	if _, err = list(func() ([]int, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("list = %v, want the error", err)
	}
}
