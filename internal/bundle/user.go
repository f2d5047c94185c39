package bundle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// maxAccounts bounds /etc/passwd and /etc/group, which come from an image.
const maxAccounts = 1 << 20

// A User is whom a process runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32 // further groups
	Home     string   // from /etc/passwd; "/" if unknown
}

// User resolves "", "name", "uid", "name:group", "uid:gid" and so on by the
// container's own /etc/passwd and /etc/group. An empty name is root.
func (c *Container) User(name string) (User, error) {
	passwd, err := c.accounts("/etc/passwd")
	if err != nil {
		return User{}, err
	}
	if passwd != nil {
		defer passwd.Close() //nolint:errcheck // only read
	}
	group, err := c.accounts("/etc/group")
	if err != nil {
		return User{}, err
	}
	if group != nil {
		defer group.Close() //nolint:errcheck // only read
	}
	found, err := user.GetExecUser(name, &user.ExecUser{Home: "/"}, bounded(passwd), bounded(group))
	if err != nil {
		return User{}, fmt.Errorf("find user %q: %w", name, err)
	}
	u := User{UID: uint32(found.Uid), GID: uint32(found.Gid), Home: found.Home}
	for _, g := range found.Sgids {
		u.Groups = append(u.Groups, uint32(g))
	}
	if !slices.Contains(u.Groups, u.GID) {
		u.Groups = append(u.Groups, u.GID)
	}
	return u, nil
}

func (c *Container) accounts(path string) (*os.File, error) {
	// Not blocking: an image may have a pipe there.
	f, err := c.root.Open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(err, f.Close(), fmt.Errorf("%s is no regular file", path))
	}
	return f, nil
}

func bounded(f *os.File) io.Reader {
	if f == nil {
		return nil
	}
	return io.LimitReader(f, maxAccounts)
}
