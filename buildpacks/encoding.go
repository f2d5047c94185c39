package buildpacks

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// encoding names the text encoding of data as file(1) does, for people who
// look it up, and tells whether it is one that a version can be read from.
// What is no text at all counts as readable: its content is the trouble then.
func encoding(data []byte) (name string, readable bool) {
	if len(data) == 1 {
		return "very short file (no magic)", true
	}
	for len(data) > 1 && data[len(data)-1] == 0 {
		data = data[:len(data)-1]
	}
	if text, ok := bytes.CutPrefix(data, []byte("\uFEFF")); ok && len(text) > 0 && isText(text, 1, binary.BigEndian) {
		if valid, _ := looksUTF8(text); valid {
			return "Unicode text, UTF-8 (with BOM) text" + lineEnds(text), false
		}
	}
	for _, wide := range []struct {
		bom   string
		width int
		order binary.ByteOrder
		name  string
	}{
		{"\xff\xfe\x00\x00", 4, binary.LittleEndian, "Unicode text, UTF-32, little-endian"},
		{"\x00\x00\xfe\xff", 4, binary.BigEndian, "Unicode text, UTF-32, big-endian"},
		{"\xff\xfe", 2, binary.LittleEndian, "Unicode text, UTF-16, little-endian text"},
		{"\xfe\xff", 2, binary.BigEndian, "Unicode text, UTF-16, big-endian text"},
	} {
		if text, ok := bytes.CutPrefix(data, []byte(wide.bom)); ok && isText(text, wide.width, wide.order) {
			return wide.name, false
		}
	}
	return eightBit(data)
}

// isText tells whether characters of a width have no control codes among them
// but those that texts have. A cut off character at the end is not looked at.
func isText(data []byte, width int, order binary.ByteOrder) bool {
	for ; len(data) >= width; data = data[width:] {
		var c uint32
		switch width {
		case 1:
			c = uint32(data[0])
		case 2:
			c = uint32(order.Uint16(data))
		default:
			c = order.Uint32(data)
		}
		if c == 0xFFFE || c < 0x80 && isControl(byte(c)) {
			return false
		}
	}
	return true
}

// isControl tells control codes that no text has: all but BEL to CR and ESC.
func isControl(b byte) bool {
	return b < 7 || b >= 14 && b < 27 || b >= 28 && b < 32 || b == 127
}

func eightBit(data []byte) (name string, readable bool) {
	var control, high, extended bool
	for _, b := range data {
		switch {
		case isControl(b):
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
	case isUTF8(data):
		return "Unicode text, UTF-8 text" + lineEnds(data), true
	case !extended:
		return "ISO-8859 text" + lineEnds(data), false
	default:
		return "Non-ISO extended-ASCII text" + lineEnds(data), true
	}
}

func isUTF8(data []byte) bool {
	valid, wide := looksUTF8(data)
	return valid && wide
}

// looksUTF8 tells whether data is UTF-8, but for a character cut off at its
// end, and whether it has a whole one beyond ASCII.
func looksUTF8(data []byte) (valid, wide bool) {
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return !utf8.FullRune(data), wide
		case size > 1:
			wide = true
		}
		data = data[size:]
	}
	return true, wide
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
