package herokuschema

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// module is the Go module that has the schema, of the version in go.mod.
const module = "github.com/heroku/heroku-go/v6"

// A Schema is the published schema. Many may use it at once.
type Schema struct {
	root  map[string]any
	links []link

	mu       sync.Mutex
	compiler *jsonschema.Compiler // not made for many at once
	compiled map[string]*jsonschema.Schema
}

// Load reads the schema, once in a process. The process must have been started
// in a folder of this module, as tests are.
var Load = sync.OnceValues(load)

func load() (*Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output() //nolint:noctx // it reads go.mod
	if err != nil {
		return nil, fmt.Errorf("find %s, which has the schema: %w", module, err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema.json"))
	if err != nil {
		return nil, fmt.Errorf("read Heroku's schema: %w", err)
	}
	for _, d := range departures {
		raw = []byte(strings.ReplaceAll(string(raw), quoted(d.heroku), quoted(d.ours)))
	}
	s := &Schema{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	if err := json.Unmarshal(raw, &s.root); err != nil {
		return nil, fmt.Errorf("read Heroku's schema: %w", err)
	}
	// It names meta schemas that are not to be had, and are draft 4 with more.
	dropMeta(s.root)
	delete(s.root, "id")
	s.compiler.DefaultDraft(jsonschema.Draft4)
	s.compiler.AssertFormat()
	s.compiler.RegisterFormat(uri)
	if err := s.compiler.AddResource(address, s.root); err != nil {
		return nil, fmt.Errorf("read Heroku's schema: %w", err)
	}
	return s, s.readLinks()
}

// address is what the schema is called inside the compiler.
const address = "heroku:///schema.json"

func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err) // it is a constant
	}
	return string(raw)
}

func dropMeta(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, names := node["$schema"].(string); names {
			delete(node, "$schema")
		}
		for _, below := range node {
			dropMeta(below)
		}
	case []any:
		for _, below := range node {
			dropMeta(below)
		}
	}
}

// validate checks a value against the part of the schema at a pointer.
func (s *Schema) validate(pointer string, value any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	part, known := s.compiled[pointer]
	if !known {
		var err error
		if part, err = s.compiler.Compile(address + pointer); err != nil {
			return fmt.Errorf("compile %s of Heroku's schema: %w", pointer, err)
		}
		s.compiled[pointer] = part
	}
	return part.Validate(value)
}

// at finds the part of the schema at a pointer, "#/definitions/app".
func (s *Schema) at(pointer string) map[string]any {
	var node any = s.root
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		switch in := node.(type) {
		case map[string]any:
			node = in[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(in) {
				return nil
			}
			node = in[i]
		}
	}
	found, _ := node.(map[string]any)
	return found
}
