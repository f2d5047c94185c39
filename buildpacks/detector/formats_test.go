package detector_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/buildpacks/detector"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	strange := mill(t)
	strange.Groups[0].Results[0].Plans[0].Requires[0].Metadata = map[string]any{
		"nan": math.NaN(), "list": []map[string]any{{"inf": math.Inf(-1)}}, "when": time.Unix(0, 0).UTC(), "n": int64(3),
	}
	for _, c := range []struct {
		name   string
		report *detector.Report
	}{{"shop.json", shop(t)}, {"mill.json", strange}} {
		got, err := json.Marshal(c.report)
		if err != nil {
			t.Fatalf("MarshalJSON(%s) = %v", c.name, err)
		}
		var b bytes.Buffer
		if err := json.Indent(&b, got, "", "  "); err != nil {
			t.Fatalf("MarshalJSON(%s) is no JSON: %v", c.name, err)
		}
		b.WriteByte('\n')
		golden(t, c.name, b.Bytes())
	}
}

// Scripts find every key, whatever was found.
func TestJSONHasAlwaysTheSameKeys(t *testing.T) {
	t.Parallel()
	keys := func(r *detector.Report) []string {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("MarshalJSON = %v", err)
		}
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Keys(m))
	}
	want := keys(shop(t))
	for key := range strings.FieldsSeq("dir language package_manager version_requested version_origin version_resolved error message processes groups plan also_matches") {
		if !slices.Contains(want, key) {
			t.Errorf("a report has no %q", key)
		}
	}
	if got := keys(&detector.Report{Dir: "x", Chosen: -1, ExitCode: 1, Err: "gone"}); !slices.Equal(got, want) {
		t.Errorf("a report that failed has the keys %q, want %q", got, want)
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	different := detector.CaseOf(shop(t))
	different.Failure, different.Diff = "language is python, want nodejs", "-nodejs\n+python\x00\xff\uffff\n"
	gone := detector.Case{Name: "gone", Error: "no such directory"}
	var b bytes.Buffer
	cases := []detector.Case{detector.CaseOf(shop(t)), detector.CaseOf(mill(t)), different, gone}
	if err := detector.WriteJUnit(&b, "apps "+hostile, cases); err != nil {
		t.Fatalf("WriteJUnit = %v", err)
	}
	golden(t, "junit.xml", b.Bytes())
	for dec := xml.NewDecoder(&b); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("WriteJUnit writes no XML: %v", err)
		}
	}
}
