package golang

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const maxList = 4 << 20

// oldest is the oldest Go that this buildpack drives: it made the module cache
// removable.
var oldest = version{1, 14, 0, "", "1.14"}

// known are the newest releases of each series that were known when this was
// written, for proxies that have toolchains but refuse to list them.
var known = []string{
	"1.27.4", "1.26.11", "1.25.14", "1.24.13", "1.23.12", "1.22.12", "1.21.13",
	"1.20.14", "1.19.13", "1.18.10", "1.17.13", "1.16.15",
}

// A choice is the Go of a build, and how it came about.
type choice struct {
	version
	why string // a line of go.mod beside the one that was asked for, "" if none
}

// errNoSuchGo says that there is no version that will do.
var errNoSuchGo = errors.New("no such Go version")

// choose finds the Go for a requirement, and what else there would be, if the
// proxies say it. The toolchain line of go.mod, if it names a later one, wins as
// it would with the go command itself, which would otherwise fetch a second Go.
//
// What the cache has will do where it is exactly what is asked for, or the proxies
// do not say what there is.
func choose(ctx context.Context, ps *proxies, want requirement, line string, cached version) (choice, []version, error) {
	later := func(v version) choice {
		if t, ok := parseVersion(line); ok && t.compare(v) > 0 {
			return choice{t, "toolchain go" + t.text}
		}
		return choice{version: v}
	}
	exact, isExact := want.exact()
	if isExact && later(exact).text == cached.text {
		return later(exact), nil, nil
	}
	there, listed := list(ctx, ps)
	v, ok := want.newest(there)
	switch {
	case !listed && cached.text != "" && want.matches(cached):
		return choice{version: cached}, nil, nil
	case isExact && (!ok || !listed):
		v, ok = exact, !errors.Is(ps.has(ctx, exact), errNotFound)
	case ok && !listed:
		v, ok = ps.probe(ctx, want, v)
	}
	if !listed {
		there = nil
	}
	if !ok {
		return choice{}, there, errNoSuchGo
	}
	return later(v), there, nil
}

// list is what the proxy has. Where it does not say, that is what is known here,
// and listed is false.
func list(ctx context.Context, ps *proxies) (there []version, listed bool) {
	data, err := ps.read(ctx, toolchainModule+"/@v/list", maxList)
	for name := range strings.FieldsSeq(string(data)) {
		name, ok := strings.CutSuffix(strings.TrimPrefix(name, "v0.0.1-go"), platformSuffix)
		if v, isVersion := parseVersion(name); ok && isVersion {
			there = append(there, v)
		}
	}
	if listed = err == nil && len(there) > 0; !listed {
		for _, name := range known {
			v, _ := parseVersion(name) // they are well formed
			there = append(there, v)
		}
	}
	slices.SortFunc(there, func(a, b version) int { return b.compare(a) })
	return there, listed
}

// has is nil if a proxy has a version, whatever its list says.
func (ps *proxies) has(ctx context.Context, v version) error {
	_, err := ps.read(ctx, toolchainModule+"/@v/"+v.module()+".info", maxList)
	return err
}

// maxProbes is how many versions a proxy without a list is asked for.
const maxProbes = 20

// probe finds the newest version that a proxy has that has no list, from the
// newest known one down.
func (ps *proxies) probe(ctx context.Context, want requirement, newest version) (version, bool) {
	v := newest
	for range maxProbes {
		if !want.matches(v) {
			break
		}
		if err := ps.has(ctx, v); !errors.Is(err, errNotFound) {
			return v, true // or it will be said why not when it is downloaded
		}
		if v.patch == 0 {
			break
		}
		v.patch--
		v.text = fmt.Sprintf("%s.%d", v.series(), v.patch)
	}
	return version{}, false
}

// offer lists for the pusher what there is: the newest releases of each series,
// and all of the series that was asked for.
func offer(there []version, want requirement) string {
	if len(there) == 0 {
		return ""
	}
	var asked string
	for _, c := range want {
		if c.known > 1 {
			asked = c.want.series()
		}
	}
	var series, patches []string
	seen := map[string]bool{}
	for _, v := range there {
		if v.pre != "" || v.compare(oldest) < 0 {
			continue
		}
		if v.series() == asked {
			patches = append(patches, v.text)
		}
		if !seen[v.series()] {
			seen[v.series()] = true
			series = append(series, v.text)
		}
	}
	if len(series) == 0 {
		return "(none)"
	}
	text := strings.Join(series, ", ")
	if len(patches) > 0 {
		text += fmt.Sprintf("\n\nand of Go %s:\n%s", asked, strings.Join(patches, ", "))
	}
	return wrap(text)
}

// wrap breaks lists into lines that fit a terminal.
func wrap(text string) string {
	const width = 66
	var out strings.Builder
	for line := range strings.Lines(text) {
		at := 0
		for i, word := range strings.SplitAfter(line, ", ") {
			if i > 0 && at+len(word) > width {
				out.WriteString("\n")
				at = 0
			}
			out.WriteString(word)
			at += len(word)
		}
	}
	return strings.ReplaceAll(out.String(), ", \n", ",\n")
}
