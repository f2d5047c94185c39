package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rank says how high a unit of the code stands: it may import what stands lower.
// ARCHITECTURE.md draws the picture. A unit is a folder with all below it.
var ranks = []struct {
	unit string
	rank int
}{
	{"cmd", 50},
	{"internal/bench", 50},

	{"internal/server", 40},
	{"internal/cli", 40},
	{"internal/api", 30},
	{"internal/web", 30},
	{"internal/client", 30},
	{"internal/deploy", 25},
	{"internal/state", 15},
	{"internal/workbench", 20},
	{"internal/dyno", 20},
	{"internal/router", 20},
	{"gitserver", 10},
	{"buildpacks", 10},
	{"slugs", 10},
	{"internal/sources", 5},
	{"internal/netns", 0},
	{"internal/bundle", 0},
	{"internal/images", 0},
	{"internal/disk", 0},
	{"internal/logs", 0},
	{"internal/namelock", 0},
	{"internal/outputs", 0},
	{"internal/wire", 0},
	{"internal/ca", 0},
	{"internal/port", 0},
	{"internal/local", 0},
	{"internal/testkit", 0},
}

// onlyThese are units that may import less than their rank would let them.
var onlyThese = map[string]string{
	"internal/cli":    "internal/client internal/wire internal/local internal/workbench buildpacks",
	"internal/client": "internal/wire",
}

func TestImportsGoDownward(t *testing.T) {
	for _, pkg := range packages(t) {
		unit, rank := unitOf(t, pkg.ImportPath)
		for _, path := range pkg.Imports {
			if !strings.HasPrefix(path, "slipway/") {
				continue
			}
			lower, lowerRank := unitOf(t, path)
			if lower == unit {
				continue
			}
			if lowerRank >= rank {
				t.Errorf("%s (rank %d) imports %s (rank %d): imports go strictly downward", pkg.ImportPath, rank, path, lowerRank)
			}
			if only, ok := onlyThese[unit]; ok && !strings.Contains(only, lower) {
				t.Errorf("%s imports %s: it may import only %s", pkg.ImportPath, path, only)
			}
		}
	}
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	homes := map[string][]string{
		"github.com/gliderlabs/ssh":        {"slipway/gitserver"},
		"github.com/buildpacks/pack":       {"slipway/buildpacks"},
		"github.com/moby/moby":             {"slipway/buildpacks", "slipway/internal/dyno/docker"},
		"github.com/caddyserver/certmagic": {"slipway/internal/router"},
		"github.com/jackc/pgx":             {"slipway/internal/state"},
		"modernc.org/sqlite":               {"slipway/internal/state"},
		"database/sql":                     {"slipway/internal/state", "slipway/internal/testkit"},
	}
	for _, pkg := range packages(t) {
		for _, path := range pkg.Imports {
			for library, home := range homes {
				inside := path == library || strings.HasPrefix(path, library+"/")
				atHome := slices.ContainsFunc(append(home, "slipway/internal/bench"), func(unit string) bool {
					return strings.HasPrefix(pkg.ImportPath, unit)
				})
				if inside && !atHome {
					t.Errorf("%s imports %s, which stays inside %s", pkg.ImportPath, path, strings.Join(home, " and "))
				}
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "slipway/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var pkg listed
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("decode go list: %v", err)
		}
		all = append(all, pkg)
	}
}

func unitOf(t *testing.T, path string) (string, int) {
	t.Helper()
	path = strings.TrimPrefix(path, "slipway/")
	for _, r := range ranks {
		if path == r.unit || strings.HasPrefix(path, r.unit+"/") {
			return r.unit, r.rank
		}
	}
	t.Errorf("package %s has no rank: give it one here and in ARCHITECTURE.md", path)
	return path, 0
}
