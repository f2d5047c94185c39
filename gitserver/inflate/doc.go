// Package inflate undoes zlib streams (RFC 1950) whose inflated size is known
// beforehand and whose bytes are in memory, as the entries of git packs are.
//
// Knowing the size, and having room to write a little beyond it, is what makes
// it two to three times as fast as a general reader at the sizes of git's
// objects: there is no window to copy out of, and most checks are made once a
// turn of the loop. It accepts exactly the streams that [compress/zlib] does.
//
// It does not stream: whoever has only a part of the bytes gets [ErrShort], and
// tries again with more, or uses another reader.
//
//	dst := make([]byte, size, size+inflate.Slack)
//	n, err := d.Zlib(dst, src) // the stream took src[:n]
//
// A Decoder is used by one goroutine at a time. Its zero value is ready.
package inflate
