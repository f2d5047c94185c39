package bundled

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRoot means that Build was called by somebody other than root.
var ErrRoot = errors.New("make the bundled builder: it needs root, to install a Debian root file system; run it as root, for example with sudo")

// A MissingError means that the machine lacks Debian packages.
type MissingError struct{ Packages []string }

// Error says which packages to install.
func (e *MissingError) Error() string {
	return fmt.Sprintf("make the bundled builder: Debian packages are missing; run: apt-get install %s", strings.Join(e.Packages, " "))
}
