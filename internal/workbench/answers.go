package workbench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/buildpacks/detector"
)

// The keys of an expectation that are judged, in the order in which a new one has
// them. They are those of `slipway detect --json` which say the same on every
// machine.
var answerKeys = []string{
	"language", "package_manager", "version_requested", "version_origin", "version_resolved",
	"error", "message", "processes", "group", "plan", "exit_code", "also_matches", "warnings",
}

// byDefault are the keys of a new expectation. The others say what changes with
// every version of the builder, or of the words.
var (
	appKeys       = []string{"language", "package_manager", "version_requested", "version_origin", "error", "processes"}
	buildpackKeys = []string{"group", "plan", "exit_code"}
)

// Answers are what an expectation can say about a report, by key.
type answers map[string]any

// answersOf takes the answers out of a report, by way of the JSON that scripts
// read, so that both have one form.
func answersOf(r *detector.Report) (answers, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	var all, some answers
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	some = answers{}
	for _, key := range answerKeys {
		some[key] = all[key]
	}
	return some, nil
}

func isAnswer(key string) bool { return slices.Contains(answerKeys, key) }

// like is the answer got to the key, in the form in which want has it: the
// versions of buildpacks are left out where want leaves them out, since an
// expectation should survive a new version.
func like(key string, got, want any) any {
	switch key {
	case "group":
		return unversioned(got, want)
	case "plan":
		entries, _ := got.([]any)
		wanted, _ := want.([]any)
		for i, e := range entries {
			entry, _ := e.(map[string]any)
			var providers any
			if i < len(wanted) {
				if w, ok := wanted[i].(map[string]any); ok {
					providers = w["providers"]
				}
			}
			if entry != nil {
				entry["providers"] = unversioned(entry["providers"], providers)
			}
		}
	}
	return got
}

// unversioned leaves out the version (id@version) of each element whose like in
// want has none.
func unversioned(got, want any) any {
	ids, ok := got.([]any)
	if !ok {
		return got
	}
	wanted, _ := want.([]any)
	for i := range ids {
		id, _ := ids[i].(string)
		if i < len(wanted) {
			if w, ok := wanted[i].(string); ok && strings.Contains(w, "@") {
				continue
			}
		}
		ids[i], _, _ = strings.Cut(id, "@")
	}
	return ids
}

// write is a JSON value on as many lines as make a diff easy to read.
func write(value any, prefix, indent string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, indent)
	if err := enc.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
