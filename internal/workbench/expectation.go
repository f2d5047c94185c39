package workbench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/buildpacks/detector"
)

// Names of files with expectations.
const (
	// ExpectationFile lies in the root of the app whose detection it describes.
	// Detection does not see it.
	ExpectationFile = "detect.expected.json"
	// expectedBeside lies beside the app, which is then in the directory "app".
	expectedBeside = "expected.json"
	besideApp      = "app"
)

// maxExpectation bounds a file with an expectation.
const maxExpectation = 1 << 20

// settingKeys are the keys of an expectation that say how to detect, and those
// that are for people.
var settingKeys = []string{"builder", "buildpacks", "env", "target", "note"}

// An expectation is a JSON object, in the order in which it was written. What is
// not judged stays as it is.
type expectation struct {
	file   string
	own    bool // it is named ExpectationFile: only known keys
	keys   []string
	values map[string]json.RawMessage
	indent string

	builder    string
	buildpacks []string
	env        map[string]string
	target     string
}

func newExpectation(file string) *expectation {
	return &expectation{file: file, own: true, values: make(map[string]json.RawMessage), indent: "  "}
}

// readExpectation reads the file of a case.
func readExpectation(file string) (*expectation, error) {
	data, err := readBounded(file, maxExpectation)
	if err != nil {
		return nil, err
	}
	e := newExpectation(file)
	e.own = filepath.Base(file) == ExpectationFile
	e.indent = indentOf(data)
	if err := e.parse(data); err != nil {
		return nil, err
	}
	return e, e.settings()
}

func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d KiB", file, limit>>10)
	}
	return data, err
}

// parse reads the object and keeps the order of its keys.
func (e *expectation) parse(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	start, err := dec.Token()
	if err != nil {
		return e.badJSON(data, dec.InputOffset(), err)
	}
	if start != json.Delim('{') {
		return e.wrong(data, dec.InputOffset(), "an expectation is a JSON object: write {\"language\": \"python\"}, or make it with slipway detect --update")
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return e.badJSON(data, dec.InputOffset(), err)
		}
		key, at := token.(string), dec.InputOffset()
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return e.badJSON(data, dec.InputOffset(), err)
		}
		if _, twice := e.values[key]; twice {
			return e.wrong(data, at, "key %q is there twice: remove one", key)
		}
		if e.own && !isAnswer(key) && !slices.Contains(settingKeys, key) {
			return e.wrong(data, at, "no key is called %q: use %s; what is judged is %s",
				key, strings.Join(settingKeys, ", "), strings.Join(answerKeys, ", "))
		}
		e.keys = append(e.keys, key)
		e.values[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return e.badJSON(data, dec.InputOffset(), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return e.wrong(data, dec.InputOffset(), "something follows the object: remove it")
	}
	return nil
}

func (e *expectation) badJSON(data []byte, at int64, err error) error {
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = bad.Offset
	}
	text := err.Error()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		text = "it ends too early"
	}
	return e.wrong(data, at, "this is not JSON: %s", text)
}

func (e *expectation) wrong(data []byte, at int64, format string, args ...any) error {
	at = min(max(at, 0), int64(len(data)))
	return fmt.Errorf("%s, line %d: %s", e.file, 1+bytes.Count(data[:at], []byte("\n")), fmt.Sprintf(format, args...))
}

// settings takes out what says how to detect.
func (e *expectation) settings() error {
	for key, into := range map[string]any{
		"builder": &e.builder, "buildpacks": &e.buildpacks, "env": &e.env, "target": &e.target,
	} {
		value, ok := e.values[key]
		if !ok {
			continue
		}
		if err := json.Unmarshal(value, into); err != nil {
			return fmt.Errorf("%s: %q has the wrong form: %w", e.file, key, err)
		}
	}
	return nil
}

// source is what to detect with, given what the caller detects with. Paths are
// relative to the file.
func (e *expectation) source(s detector.Source, given bool) detector.Source {
	if e.target != "" && s.Target == "" {
		s.Target = e.target
	}
	if given || e.builder == "" && len(e.buildpacks) == 0 {
		return s
	}
	s.Builder, s.Buildpacks = e.path(e.builder), nil
	for _, b := range e.buildpacks {
		s.Buildpacks = append(s.Buildpacks, e.path(b))
	}
	return s
}

// path is a name in the expectation as seen from this process. Only what cannot
// be an image reference is a path.
func (e *expectation) path(name string) string {
	local := name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") ||
		strings.HasSuffix(name, ".toml")
	if !local || filepath.IsAbs(name) {
		return name
	}
	path := filepath.Join(filepath.Dir(e.file), name)
	if !filepath.IsAbs(path) && path != ".." && !strings.HasPrefix(path, "../") {
		path = "./" + path // "packs/ruby" could be an image
	}
	return path
}

// judged are the keys to compare, in their order. Which version a request resolves
// to depends on the builder: it is judged where the expectation says of which
// builder it speaks, or is of our own form.
func (e *expectation) judged() []string {
	var keys []string
	for _, key := range e.keys {
		if isAnswer(key) && (key != "version_resolved" || e.own || e.builder != "") {
			keys = append(keys, key)
		}
	}
	return keys
}
