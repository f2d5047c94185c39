package buildpacks

import (
	"bytes"
	"unicode/utf8"
)

// encoding names the text encoding of data as file(1) does, for people who
// look it up, and tells whether it is one that a version can be read from.
// What is no text at all counts as readable: its content is the trouble then.
func encoding(data []byte) (name string, readable bool) {
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}) && utf8.Valid(data):
		return "Unicode text, UTF-8 (with BOM) text" + lineEnds(data), false
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE, 0, 0}):
		return "Unicode text, UTF-32, little-endian", false
	case bytes.HasPrefix(data, []byte{0, 0, 0xFE, 0xFF}):
		return "Unicode text, UTF-32, big-endian", false
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return "Unicode text, UTF-16, little-endian text", false
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return "Unicode text, UTF-16, big-endian text", false
	}
	return eightBit(data)
}

func eightBit(data []byte) (name string, readable bool) {
	var control, high, extended bool
	for _, b := range data {
		switch {
		case b < 7, b >= 14 && b < 27, b >= 28 && b < 32, b == 127:
			control = true
		case b >= 0xA0:
			high = true
		case b >= 0x80 && b != 0x85: // 0x85 is a line end to file(1)
			extended = true
		}
	}
	switch {
	case control:
		return "data", true
	case !high && !extended:
		return "ASCII text" + lineEnds(data), true
	case utf8.Valid(data):
		return "Unicode text, UTF-8 text" + lineEnds(data), true
	case !extended:
		return "ISO-8859 text" + lineEnds(data), false
	default:
		return "Non-ISO extended-ASCII text" + lineEnds(data), true
	}
}

func lineEnds(data []byte) string {
	switch {
	case bytes.Contains(data, []byte("\r\n")):
		return ", with CRLF line terminators"
	case !bytes.ContainsAny(data, "\n\r"):
		return ", with no line terminators"
	default:
		return ""
	}
}
