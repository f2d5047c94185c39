package detector_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"slipway/buildpacks/detector"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares with testdata/NAME.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func table(t *testing.T, r *detector.Report, look detector.Look) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := detector.WriteTable(&b, r, look); err != nil {
		t.Fatalf("WriteTable = %v", err)
	}
	return b.Bytes()
}

func TestTable(t *testing.T) {
	t.Parallel()
	golden(t, "shop.table", table(t, shop(t), detector.Look{}))
	golden(t, "mill.table", table(t, mill(t), detector.Look{}))
	golden(t, "mill-narrow.table", table(t, mill(t), detector.Look{Width: 48}))
	golden(t, "shop-verbose.table", table(t, shop(t), detector.Look{Verbose: true, Width: 120}))
}

func TestNothingHostileReachesATerminal(t *testing.T) {
	t.Parallel()
	for _, look := range []detector.Look{{}, {Verbose: true}, {Width: 30}} {
		for _, r := range []*detector.Report{shop(t), mill(t)} {
			text := string(table(t, r, look))
			var line bytes.Buffer
			if err := detector.WriteLine(&line, r, look); err != nil {
				t.Fatalf("WriteLine = %v", err)
			}
			for _, c := range text + line.String() {
				if c != '\n' && !unicode.IsPrint(c) || c == unicode.ReplacementChar {
					t.Fatalf("WriteTable(%q, %+v) lets %U through", r.Dir, look, c)
				}
			}
		}
	}
	colored := string(table(t, mill(t), detector.Look{Color: true}))
	for rest := range strings.SplitSeq(colored, "\x1b") {
		if rest != "" && rest[0] == ']' {
			t.Errorf("WriteTable with colours lets an escape through: %q", rest)
		}
	}
	if !strings.Contains(colored, "\x1b[31m") {
		t.Error("WriteTable with colours has no red")
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	wide := shop(t)
	wide.Dir = "apps/商店"
	wide.Groups[0].Results[1].Output = []byte(strings.Repeat("装置 ", 80))
	for _, width := range []int{24, 40, 60, 80, 200} {
		for _, r := range []*detector.Report{wide, mill(t)} {
			for line := range strings.Lines(string(table(t, r, detector.Look{Width: width}))) {
				columns := 0
				for _, c := range strings.TrimSuffix(line, "\n") {
					columns++
					if unicode.Is(unicode.Han, c) {
						columns++
					}
				}
				if columns > width {
					t.Errorf("WriteTable(%q, %d columns) writes a line of %d: %q", r.Dir, width, columns, line)
				}
			}
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	broken := shop(t)
	broken.App = plan(t, map[string]string{"requirements.txt": "", "runtime.txt": "python-2.7.1"})
	lost := mill(t)
	lost.Dir = "apps/mill"
	gone := &detector.Report{Dir: "gone", Builder: "bundled", Chosen: -1, ExitCode: 1, Err: "open gone: no such file"}
	for _, c := range []struct {
		name   string
		report *detector.Report
		want   string
		ok     bool
	}{
		{"detected", shop(t), "✓ apps/shop: python 3.13.5 with pip (group 1); also matches nodejs\n", true},
		{"detected but not to be built", broken, "✗ apps/shop: python that cannot be built: The requested Python version has reached end-of-life. (group 1)\n", false},
		{"lost", lost, "✗ apps/mill: no group passes (exit code 21): acme/maven requires jdk, which nothing before it provides\n", false},
		{"not read", gone, "✗ gone: not detected: open gone: no such file\n", false},
	} {
		var b bytes.Buffer
		if err := detector.WriteLine(&b, c.report, detector.Look{Width: 200}); err != nil {
			t.Fatalf("WriteLine = %v", err)
		}
		if b.String() != c.want || c.report.OK() != c.ok {
			t.Errorf("%s: WriteLine writes %q and OK() = %t, want %q and %t", c.name, &b, c.report.OK(), c.want, c.ok)
		}
	}
}
