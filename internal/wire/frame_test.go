package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"slipway/internal/wire"
)

func TestParseFrame(t *testing.T) {
	for _, c := range []struct {
		name    string
		message []byte
		channel wire.Channel
		payload string
		ok      bool
	}{
		{"standard output", []byte("\x01hello"), wire.Stdout, "hello", true},
		{"the end of standard input", []byte{5}, wire.StdinClosed, "", true},
		{"the longest message", append([]byte{2}, make([]byte, wire.MaxPayload)...), wire.Stderr, string(make([]byte, wire.MaxPayload)), true},
		{"nothing", nil, 0, "", false},
		{"a channel that is none", []byte("\x07x"), 0, "", false},
		{"a message that is too long", make([]byte, wire.MaxMessage+1), 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			channel, payload, err := wire.ParseFrame(c.message)
			if (err == nil) != c.ok || channel != c.channel || string(payload) != c.payload {
				t.Errorf("ParseFrame(%.20q) = %d, %.20q, %v; want %d, %.20q, no error: %t", c.message, channel, payload, err, c.channel, c.payload, c.ok)
			}
		})
	}
}

func TestParseSizeAndExit(t *testing.T) {
	for payload, want := range map[string]wire.TerminalSize{
		`{"columns":80,"rows":24}`: {Columns: 80, Rows: 24}, `{"columns":0,"rows":24}`: {}, `{}`: {}, `x`: {}, `{"columns":70000,"rows":1}`: {}, ``: {},
	} {
		if got, err := wire.ParseSize([]byte(payload)); got != want || (err == nil) != (want.Rows > 0) {
			t.Errorf("ParseSize(%s) = %+v, %v; want %+v", payload, got, err, want)
		}
	}
	for payload, want := range map[string]int{`{"code":3}`: 3, `{"code":0}`: 0, `{"code":-1}`: -1, `{}`: -1, `[]`: -1} {
		if got, err := wire.ParseExit([]byte(payload)); (err == nil) != (want >= 0) || (err == nil && got.Code != want) {
			t.Errorf("ParseExit(%s) = %+v, %v; want %d", payload, got, err, want)
		}
	}
}

func TestQuantity(t *testing.T) {
	for _, c := range []struct {
		name, json string
		present    int
		want       int
		ok         bool
	}{
		{"a number", `2`, 5, 2, true},
		{"a number in quotes", `"2"`, 5, 2, true},
		{"one more", `"+1"`, 5, 6, true},
		{"two fewer", `"-2"`, 5, 3, true},
		{"fewer than none", `"-9"`, 5, 0, true},
		{"a word", `"two"`, 5, 0, false},
		{"nothing", `""`, 5, 0, false},
		{"a fraction", `1.5`, 5, 0, false},
		{"a number that is too long", `"+99999999999"`, 5, 0, false},
		{"a list", `[1]`, 5, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var q wire.Quantity
			err := json.Unmarshal([]byte(c.json), &q)
			if (err == nil) != c.ok || (c.ok && q.Of(c.present) != c.want) {
				t.Fatalf("Quantity(%s).Of(%d) = %d, %v; want %d", c.json, c.present, q.Of(c.present), err, c.want)
			}
			if !c.ok {
				return
			}
			var again wire.Quantity
			if raw, err := json.Marshal(q); err != nil || json.Unmarshal(raw, &again) != nil || again != q {
				t.Errorf("%s comes back as %+v, want %+v", raw, again, q)
			}
		})
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add([]byte("\x01hello"))
	f.Add([]byte(`` + "\x03" + `{"columns":80,"rows":24}`))
	f.Add([]byte(`` + "\x04" + `{"code":3}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, message []byte) {
		ch, payload, err := wire.ParseFrame(message)
		if err != nil {
			return
		}
		if again := wire.AppendFrame(nil, ch, payload); !bytes.Equal(again, message) {
			t.Errorf("AppendFrame(ParseFrame(%q)) = %q", message, again)
		}
		if size, err := wire.ParseSize(payload); err == nil && (size.Columns == 0 || size.Rows == 0) {
			t.Errorf("ParseSize(%q) = %+v without an error", payload, size)
		}
		if status, err := wire.ParseExit(payload); err == nil && status.Code < 0 {
			t.Errorf("ParseExit(%q) = %+v without an error", payload, status)
		}
	})
}
