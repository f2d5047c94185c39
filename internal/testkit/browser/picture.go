package browser

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
)

// Picture is what the page looks like, as a PNG of its 256 commonest colours:
// pages have few, and the file is half as large.
func (p *Page) Picture() []byte {
	p.tb.Helper()
	var shot struct {
		Data string `json:"data"`
	}
	p.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		p.tb.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		p.tb.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, fewColors(full)); err != nil {
		p.tb.Fatal(err)
	}
	return out.Bytes()
}

func fewColors(full image.Image) image.Image {
	const most = 256
	bounds := full.Bounds()
	seen := map[color.Color]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			seen[full.At(x, y)]++
		}
	}
	common := slices.SortedFunc(maps.Keys(seen), func(a, b color.Color) int { return cmp.Compare(seen[b], seen[a]) })
	few := image.NewPaletted(bounds, color.Palette(common[:min(most, len(common))]))
	index := map[color.Color]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := full.At(x, y)
			i, known := index[c]
			if !known {
				i = uint8(few.Palette.Index(c)) //nolint:gosec // of at most 256
				index[c] = i
			}
			few.SetColorIndex(x, y, i)
		}
	}
	return few
}
