package api

import (
	"cmp"
	"math"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/google/uuid"

	"slipway/internal/state"
	"slipway/internal/wire"
)

const (
	// regionName is what Heroku's command line takes for granted: it would print
	// another beside each app.
	regionName     = "us"
	generationName = "cedar"
	defaultStack   = "slipway-debian13"
)

// since is when what the server always has was made: nobody asked for it.
var since = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// idFor makes an ID, always the same, for what the server has once.
func idFor(kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("slipway "+kind+"/"+name)).String()
}

func refFor(kind, name string) wire.Ref { return wire.Ref{ID: idFor(kind, name), Name: name} }

func generation() wire.Ref { return refFor("generation", generationName) }
func region() wire.Ref     { return refFor("region", regionName) }
func dynoSize() wire.Ref   { return refFor("dyno size", wire.Size) }
func (a *api) stack() wire.Ref {
	return refFor("stack", strings.ToLower(cmp.Or(a.Stack, defaultStack)))
}

// names says whether a client's name or ID is that of what there is.
func names(given string, one wire.Ref) bool {
	return strings.EqualFold(given, one.Name) || strings.EqualFold(given, one.ID)
}

// checkStack returns nil for the one stack, or none.
func (a *api) checkStack(given string) error {
	if given == "" || names(given, a.stack()) {
		return nil
	}
	return invalid("Slipway has no stack %.40q: there is %s, that of the server's --builder; leave the stack out", given, a.stack().Name)
}

// checkRegion returns nil for the one region, or none.
func checkRegion(given string) error {
	if given == "" || names(given, region()) {
		return nil
	}
	return invalid("Slipway has no region %.40q: there is %s, which is this server; leave the region out", given, regionName)
}

// checkSize returns nil for the one size of dynos, or none.
func checkSize(given wire.SizeName) error {
	if given == "" || names(string(given), dynoSize()) {
		return nil
	}
	return invalid("Slipway has no dyno size %.40q: there is %s, which the server's --dyno-cpus and --dyno-memory set; leave the size out", given, wire.Size)
}

// catalogRoutes are lists of what there is one of, and that one.
func (a *api) catalogRoutes() map[string]serve {
	all := map[string]serve{
		"GET /apps/{app}/available-stacks":     listOne(a.wholeStack),
		"GET /apps/{app}/available-dyno-sizes": listOne(a.wholeSize),
	}
	add := func(path, thing string, ref wire.Ref, whole func() any) {
		all["GET "+path] = listOne(whole)
		all["GET "+path+"/{one}"] = func(r *http.Request, _ state.Actor) (int, any, error) {
			if !names(r.PathValue("one"), ref) {
				return 0, nil, &resourceError{
					resource: strings.ReplaceAll(thing, " ", "_"), text: "Couldn't find that " + thing + ". Slipway has one, " + ref.Name,
				}
			}
			return http.StatusOK, whole(), nil
		}
	}
	add("/regions", "region", region(), wholeRegion)
	add("/stacks", "stack", a.stack(), a.wholeStack)
	add("/dyno-sizes", "dyno size", dynoSize(), a.wholeSize)
	add("/generations", "generation", generation(), wholeGeneration)
	return all
}

func listOne(whole func() any) serve {
	return func(*http.Request, state.Actor) (int, any, error) { return http.StatusOK, []any{whole()}, nil }
}

func wholeRegion() any {
	ref := region()
	return wire.Region{
		ID: ref.ID, Name: ref.Name, Description: "This server", Country: "Here", Locale: "Here",
		// The schema knows Amazon's regions only, and wants one.
		Provider:  wire.Provider{Name: "slipway", Region: "us-east-1"},
		CreatedAt: since, UpdatedAt: since,
	}
}

func (a *api) wholeStack() any {
	ref := a.stack()
	return wire.Stack{ID: ref.ID, Name: ref.Name, Default: true, State: "public", CreatedAt: since, UpdatedAt: since}
}

func (a *api) wholeSize() any {
	ref := dynoSize()
	return wire.DynoSize{
		ID: ref.ID, Name: ref.Name, Memory: float64(a.DynoMemory) / (1 << 30), Compute: int(math.Ceil(a.DynoCPUs)),
		Architecture: runtime.GOARCH, Generation: generation(), Units: 1,
	}
}

func wholeGeneration() any {
	ref := generation()
	return wire.Generation{ID: ref.ID, Name: ref.Name, CreatedAt: since, UpdatedAt: since}
}
