package repo

import "unicode/utf8"

// isHFSDot says whether HFS+ takes name for "." + want: it ignores certain
// characters and case (git's is_hfs_dot_generic).
func isHFSDot(name []byte, want string) bool {
	c, name := nextHFS(name)
	if c != '.' {
		return false
	}
	for i := range len(want) {
		if c, name = nextHFS(name); c > 0x7f || lower(byte(c)) != want[i] {
			return false
		}
	}
	c, _ = nextHFS(name)
	return c == 0
}

// nextHFS returns the next rune that HFS+ does not ignore, 0 at the end or for
// what is not UTF-8 (git stops there, too).
func nextHFS(b []byte) (rune, []byte) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return 0, nil
		}
		b = b[n:]
		if !ignoredByHFS(r) {
			return r, b
		}
	}
	return 0, nil
}

func ignoredByHFS(r rune) bool {
	return r >= 0x200c && r <= 0x200f || r >= 0x202a && r <= 0x202e ||
		r >= 0x206a && r <= 0x206f || r == 0xfeff
}

// isNTFSDotGit says whether NTFS may take name for .git (git's is_ntfs_dotgit).
func isNTFSDotGit(name []byte) bool {
	var n int
	switch {
	case hasFoldPrefix(name, ".git"):
		n = len(".git")
	case hasFoldPrefix(name, "git~1"):
		n = len("git~1")
	default:
		return false
	}
	for _, c := range name[n:] {
		switch c {
		case '\\', '/', ':':
			return true
		case '.', ' ':
		default:
			return false
		}
	}
	return true
}

// An ntfsName is a dot file and the prefix of its fall-back short name.
type ntfsName struct{ name, short string }

var (
	ntfsModules    = ntfsName{"gitmodules", "gi7eba"}
	ntfsAttributes = ntfsName{"gitattributes", "gi7d29"}
)

// isNTFSDot says whether NTFS may take name for a dot file, by its long name
// or by a short one (git's is_ntfs_dot_generic).
func isNTFSDot(name []byte, want ntfsName) bool {
	if len(name) > 0 && name[0] == '.' && hasFoldPrefix(name[1:], want.name) {
		return onlySpacesAndDots(name[1+len(want.name):])
	}
	if len(name) >= 8 && hasFoldPrefix(name, want.name[:6]) && name[6] == '~' && name[7] >= '1' && name[7] <= '4' {
		return onlySpacesAndDots(name[8:])
	}
	return isFallbackShort(name, want.short) && onlySpacesAndDots(name[8:])
}

// isFallbackShort says whether name begins with the short name that NTFS makes
// up when the ordinary ones are taken: some of the prefix, a tilde, a number.
func isFallbackShort(name []byte, prefix string) bool {
	if len(name) < 8 {
		return false
	}
	tilde := false
	for i := 0; i < 8; i++ {
		c := name[i]
		switch {
		case tilde:
			if !isDigit(c) {
				return false
			}
		case c == '~':
			i++
			if i >= len(name) || name[i] < '1' || name[i] > '9' {
				return false
			}
			tilde = true
		case i >= 6 || c >= 0x80 || lower(c) != prefix[i]:
			return false
		}
	}
	return true
}

func onlySpacesAndDots(b []byte) bool {
	for _, c := range b {
		switch c {
		case ':':
			return true
		case ' ', '.':
		default:
			return false
		}
	}
	return true
}

func hasFoldPrefix(b []byte, prefix string) bool {
	if len(b) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(b[i]) != prefix[i] {
			return false
		}
	}
	return true
}
