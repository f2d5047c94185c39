package inflate_test

import (
	"bytes"
	stdzlib "compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"slipway/gitserver/inflate"
)

func deflate(tb testing.TB, data []byte, level int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := stdzlib.NewWriterLevel(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// samples are contents of different kinds and sizes.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 70_000)
	for i := range skewed {
		skewed[i] = byte(r.ExpFloat64() * 9)
	}
	words := make([]byte, 0, 300_000)
	for len(words) < 300_000 {
		words = append(words, "tree blob commit parent author "[r.IntN(20):]...)
	}
	return map[string][]byte{
		"nothing": nil, "one byte": {7}, "a few bytes": []byte("hello, hello"),
		"zeros": make([]byte, 100_000), "noise": noise, "skewed": skewed, "words": words,
		"short period": []byte(strings.Repeat("abc", 5000)), "long period": bytes.Repeat(noise[:33_000], 3),
	}
}

func TestInflatesWhatZlibDeflates(t *testing.T) {
	t.Parallel()
	var d inflate.Decoder
	for name, data := range samples() {
		for level := stdzlib.HuffmanOnly; level <= 9; level++ {
			src := append(deflate(t, data, level), "what follows"...)
			for _, slack := range []int{0, 100, inflate.Slack} {
				dst := make([]byte, len(data), len(data)+slack)
				n, err := d.Zlib(dst, src)
				if err != nil || n != len(src)-len("what follows") || !bytes.Equal(dst, data) {
					t.Errorf("Zlib(%s at level %d, slack %d) = %d, %v, want %d and the same bytes",
						name, level, slack, n, err, len(src)-len("what follows"))
				}
			}
		}
	}
}

func TestRefusesOtherSizes(t *testing.T) {
	t.Parallel()
	var d inflate.Decoder
	for name, data := range samples() {
		src := deflate(t, data, 6)
		for _, size := range []int{len(data) - 1, len(data) + 1, len(data) + 5000} {
			if size < 0 {
				continue
			}
			for _, slack := range []int{0, inflate.Slack} {
				if _, err := d.Zlib(make([]byte, size, size+slack), src); !errors.Is(err, inflate.ErrSize) {
					t.Errorf("Zlib(%s into %d bytes) = %v, want ErrSize", name, size, err)
				}
			}
		}
	}
}

// A stream that is cut anywhere is short, never corrupt: the caller may have
// the rest soon.
func TestCutStreamsAreShort(t *testing.T) {
	t.Parallel()
	var d inflate.Decoder
	for name, data := range samples() {
		src := deflate(t, data, 6)
		dst := make([]byte, len(data), len(data)+inflate.Slack)
		for n := 0; n < len(src); n += 1 + n/50 {
			if _, err := d.Zlib(dst, src[:n]); !errors.Is(err, inflate.ErrShort) {
				t.Errorf("Zlib(%s cut at %d of %d) = %v, want ErrShort", name, n, len(src), err)
			}
		}
	}
}

func TestRefusesBadChecksumsAndHeaders(t *testing.T) {
	t.Parallel()
	var d inflate.Decoder
	data := []byte("some text, some text")
	good := deflate(t, data, 6)
	for _, c := range []struct {
		name string
		at   int
		want error
	}{
		{"checksum", len(good) - 1, inflate.ErrChecksum},
		{"method", 0, inflate.ErrCorrupt},
		{"header check", 1, inflate.ErrCorrupt},
	} {
		bad := bytes.Clone(good)
		bad[c.at] ^= 1
		if _, err := d.Zlib(make([]byte, len(data)), bad); !errors.Is(err, c.want) {
			t.Errorf("Zlib with a bad %s = %v, want %v", c.name, err, c.want)
		}
	}
}

// reference inflates with the standard library and says how far it read.
func reference(src []byte, limit int64) (data []byte, used int, err error) {
	r := bytes.NewReader(src)
	z, err := stdzlib.NewReader(r)
	if err != nil {
		return nil, 0, err
	}
	data, err = io.ReadAll(io.LimitReader(z, limit))
	if err == nil {
		_, err = z.Read(make([]byte, 1)) // the checksum comes with the end
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	return data, len(src) - r.Len(), err
}

// FuzzZlib holds the decoder to the standard library: what one accepts, the
// other does, with the same bytes and the same end.
func FuzzZlib(f *testing.F) {
	for _, data := range samples() {
		data = data[:min(len(data), 3000)]
		for _, level := range []int{stdzlib.HuffmanOnly, 0, 1, 6, 9} {
			f.Add(deflate(f, data, level), 0)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, slack int) {
		const limit = 1 << 20
		want, used, werr := reference(src, limit)
		if len(want) == limit {
			t.Skip()
		}
		var d inflate.Decoder
		slack &= 511
		dst := make([]byte, len(want), len(want)+slack)
		n, err := d.Zlib(dst, src)
		if (err == nil) != (werr == nil) {
			t.Fatalf("Zlib(%x) = %v, the standard library says %v", src, err, werr)
		}
		if err == nil && (n != used || !bytes.Equal(dst, want)) {
			t.Fatalf("Zlib(%x) = %x in %d bytes, want %x in %d", src, dst, n, want, used)
		}
		// A dictionary is refused at once, where the library reads its name first.
		short := errors.Is(werr, io.ErrUnexpectedEOF) && (len(src) < 2 || src[1]&0x20 == 0)
		if short && !errors.Is(err, inflate.ErrShort) && !errors.Is(err, inflate.ErrSize) {
			t.Fatalf("Zlib(%x) = %v, the standard library says %v", src, err, werr)
		}
	})
}

func BenchmarkZlib(b *testing.B) {
	words := samples()["words"]
	for _, size := range []int{200, 2000, 20_000} {
		src := deflate(b, words[:size], 6)
		dst := make([]byte, size, size+inflate.Slack)
		b.Run("ours/"+itoa(size), func(b *testing.B) {
			var d inflate.Decoder
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := d.Zlib(dst, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func itoa(n int) string {
	if n < 1000 {
		return "small"
	}
	if n < 10_000 {
		return "medium"
	}
	return "large"
}
