package detector

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// A reportJSON is a report for scripts. Its first fields are those of
// [buildpacks.Plan.MarshalJSON]: Slipway's own answer, by Heroku's rules,
// whatever the builder. Unknown things are null, lists are never null.
type reportJSON struct {
	Dir     string  `json:"dir"`     // as it was named
	Builder *string `json:"builder"` // as it was named; null where only buildpacks were given
	OK      bool    `json:"ok"`      // a group passes and, with the bundled builder, the app can be built
	Verdict string  `json:"verdict"` // the outcome in a few words, for a person

	Language         *string         `json:"language"`
	PackageManager   *string         `json:"package_manager"`
	VersionRequested *string         `json:"version_requested"`
	VersionOrigin    *string         `json:"version_origin"`
	VersionResolved  *string         `json:"version_resolved"`
	Error            *string         `json:"error"`       // an id, such as "python-version::eol"
	Unavailable      *string         `json:"unavailable"` // an id: all is well but the builder lacks the version
	Message          *string         `json:"message"`     // the title of the error or of the first warning
	Processes        json.RawMessage `json:"processes"`   // type to command
	Reasons          json.RawMessage `json:"reasons"`
	Warnings         []string        `json:"warnings"`     // ids
	AlsoMatches      []string        `json:"also_matches"` // languages that would be next

	ExitCode   int          `json:"exit_code"` // of the lifecycle's detector
	Failure    *string      `json:"failure"`   // why detection could not be run or ended
	Chosen     *int         `json:"chosen"`    // the index in groups of the one that is taken
	Group      []string     `json:"group"`     // id@version of the buildpacks that take part
	AlsoGroups []int        `json:"also_groups"`
	Groups     []groupJSON  `json:"groups"`
	Plan       []entryJSON  `json:"plan"`
	Files      []string     `json:"files"`      // opened to decide
	FilesSeen  bool         `json:"files_seen"` // whether the machine tells what buildpacks open
	Sandbox    *sandboxJSON `json:"sandbox"`
	TookMS     float64      `json:"took_ms"`
}

// A groupJSON is one trial of a group.
type groupJSON struct {
	Number  int          `json:"number"` // in the builder's order, from 1
	Passed  bool         `json:"passed"`
	Also    bool         `json:"also"` // tried after one had passed
	Why     *string      `json:"why"`  // it lost
	Results []resultJSON `json:"results"`
	Edges   []edgeJSON   `json:"edges"`
	Hints   []string     `json:"hints"`
	Chosen  []string     `json:"chosen"`
}

// A resultJSON is the answer of one buildpack in one group.
type resultJSON struct {
	ID        string     `json:"id"`
	Version   string     `json:"version"`
	API       string     `json:"api"`
	Name      string     `json:"name"`
	Homepage  string     `json:"homepage"`
	Optional  bool       `json:"optional"`
	Extension bool       `json:"extension"`
	Classic   bool       `json:"classic"`
	Outcome   string     `json:"outcome"`   // pass, fail, skip or error
	ExitCode  int        `json:"exit_code"` // -1 where it did not exit by itself
	Error     *string    `json:"error"`
	TookMS    float64    `json:"took_ms"`
	Reused    bool       `json:"reused"` // from an earlier group
	Output    string     `json:"output"` // what is no UTF-8 in it is U+FFFD
	Raw       *string    `json:"output_base64,omitempty"`
	Dropped   int64      `json:"output_dropped"` // bytes that were not kept
	Plans     []planJSON `json:"plans"`          // what it wrote, then its alternatives
	Wrote     []string   `json:"wrote"`          // paths of the app that it changed
	Network   bool       `json:"network"`        // it tried to reach something
	Files     []string   `json:"files"`          // files of the app that it opened
}

type planJSON struct {
	Provides []string      `json:"provides"`
	Requires []requireJSON `json:"requires"`
}

type requireJSON struct {
	Name     string         `json:"name"`
	Metadata map[string]any `json:"metadata"`
}

// An edgeJSON is a name that buildpacks of a group provide or require.
type edgeJSON struct {
	Name       string   `json:"name"`
	ProvidedBy []string `json:"provided_by"`
	RequiredBy []string `json:"required_by"`
	Fault      *string  `json:"fault"` // "unmet" or "unused"
}

// An entryJSON is an entry of the resolved plan.
type entryJSON struct {
	Providers []string      `json:"providers"`
	Requires  []requireJSON `json:"requires"`
}

type sandboxJSON struct {
	How     string   `json:"how"`
	Missing []string `json:"missing"`
}

// MarshalJSON writes the report for scripts, as one object.
func (r *Report) MarshalJSON() ([]byte, error) {
	j := reportJSON{
		Processes: json.RawMessage("{}"), Reasons: json.RawMessage("[]"),
		Warnings: []string{}, AlsoMatches: []string{}, Group: []string{}, AlsoGroups: []int{},
	}
	if r.App != nil {
		app, err := r.App.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("write the plan of %q: %w", r.Dir, err)
		}
		if err := json.Unmarshal(app, &j); err != nil {
			return nil, fmt.Errorf("write the plan of %q: %w", r.Dir, err)
		}
	}
	j.Dir, j.Builder, j.OK, j.Verdict = r.Dir, orNull(r.Builder), r.OK(), r.Verdict()
	j.ExitCode, j.Failure = r.ExitCode, orNull(r.Err)
	if j.Message == nil {
		j.Message = j.Failure
	}
	j.Groups = each(r.Groups, groupOf)
	if r.Passed() {
		j.Chosen, j.Group = &r.Chosen, some(r.Groups[r.Chosen].Chosen)
	}
	for i, g := range r.Groups {
		if g.Also && g.Passed {
			j.AlsoGroups = append(j.AlsoGroups, i)
		}
	}
	j.Plan = each(r.Plan, func(e PlanEntry) entryJSON { return entryJSON{some(e.Providers), each(e.Requires, requireOf)} })
	j.Files, j.FilesSeen = some(r.Files), r.FilesSeen
	if r.Sandbox.How != "" {
		j.Sandbox = &sandboxJSON{r.Sandbox.How, some(r.Sandbox.Missing)}
	}
	j.TookMS = milliseconds(r.Took)
	return json.Marshal(j)
}

func groupOf(g Group) groupJSON {
	return groupJSON{
		Number: g.Number, Passed: g.Passed, Also: g.Also, Why: orNull(g.Why), Results: each(g.Results, resultOf),
		Edges: each(g.Edges, func(e Edge) edgeJSON {
			return edgeJSON{e.Name, some(e.ProvidedBy), some(e.RequiredBy), orNull(e.Fault)}
		}),
		Hints: some(g.Hints), Chosen: some(g.Chosen),
	}
}

func resultOf(r Result) resultJSON {
	j := resultJSON{
		ID: r.ID, Version: r.Version, API: r.API, Name: r.Name, Homepage: r.Homepage,
		Optional: r.Optional, Extension: r.Extension, Classic: r.Classic,
		Outcome: r.Outcome, ExitCode: r.ExitCode, Error: orNull(r.Err), TookMS: milliseconds(r.Took), Reused: r.Reused,
		Output: strings.ToValidUTF8(string(r.Output), "\ufffd"), Dropped: r.Dropped,
		Plans: each(r.Plans, func(p Plan) planJSON { return planJSON{some(p.Provides), each(p.Requires, requireOf)} }),
		Wrote: some(r.Wrote), Network: r.Network, Files: some(r.Files),
	}
	if !utf8.Valid(r.Output) {
		raw := base64.StdEncoding.EncodeToString(r.Output)
		j.Raw = &raw
	}
	return j
}

func requireOf(r Require) requireJSON {
	metadata, _ := plain(r.Metadata).(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	return requireJSON{r.Name, metadata}
}

// plain makes a value of TOML one of JSON, which has neither infinity nor what
// is not a number.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[key] = plain(value)
		}
		return m
	case []any:
		return each(v, plain)
	case []map[string]any:
		return each(v, func(m map[string]any) any { return plain(m) })
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Sprint(v)
		}
		return v
	case string, bool, int64, int, uint64, nil:
		return v
	default: // dates and times
		return fmt.Sprint(v)
	}
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// some is a list that is never null.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func each[From, To any](list []From, of func(From) To) []To {
	all := make([]To, len(list))
	for i, v := range list {
		all[i] = of(v)
	}
	return all
}
