package repo

import (
	"fmt"
	"strings"
)

// maxRefName is as long as a path on Linux can be with room for ".lock" and
// the directory before it; a component is bound by NAME_MAX.
const (
	maxRefName      = 3072
	maxRefComponent = 255 - len(lockSuffix)
)

const lockSuffix = ".lock"

// CheckRefName applies the rules of `git check-ref-format` to a name that must
// start with "refs/". The error wraps ErrRefName and says which rule is broken.
func CheckRefName(name string) error {
	if why := refNameFault(name); why != "" {
		return fmt.Errorf("%w %q: %s", ErrRefName, clip(name), why)
	}
	return nil
}

func refNameFault(name string) string {
	switch {
	case !strings.HasPrefix(name, "refs/"):
		return `does not begin with "refs/"`
	case len(name) > maxRefName:
		return "is too long"
	case strings.HasSuffix(name, "."):
		return "ends with a dot"
	}
	for part := range strings.SplitSeq(name, "/") {
		if why := refPartFault(part); why != "" {
			return why
		}
	}
	return ""
}

func refPartFault(part string) string {
	switch {
	case part == "":
		return "has an empty component"
	case part[0] == '.':
		return "has a component that begins with a dot"
	case strings.HasSuffix(part, lockSuffix):
		return `has a component that ends with ".lock"`
	case len(part) > maxRefComponent:
		return "has a component that is too long"
	case strings.Contains(part, ".."):
		return `contains ".."`
	case strings.Contains(part, "@{"):
		return `contains "@{"`
	}
	for i := range len(part) {
		switch c := part[i]; c {
		case ' ', '~', '^', ':', '?', '*', '[', '\\', 0x7f:
			return fmt.Sprintf("contains %q", c)
		default:
			if c < ' ' {
				return "contains a control character"
			}
		}
	}
	return ""
}
