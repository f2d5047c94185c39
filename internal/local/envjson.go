package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth is how deep the objects of an env file may lie in each other.
const maxDepth = 32

// parseJSON reads an env file that is a JSON object. The names of what lies
// deeper are joined: {"db": {"url": 1}} is DB_URL=1.
func parseJSON(file, text string) (map[string]string, error) {
	var top json.RawMessage
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		line := 1
		if bad := (*json.SyntaxError)(nil); errors.As(err, &bad) {
			line += strings.Count(text[:min(int(bad.Offset), len(text))], "\n")
		}
		return nil, fmt.Errorf("%s line %d: it begins as JSON, but is none: %w: correct it, or write lines NAME=VALUE", file, line, err)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber() // numbers stay as they were written
	f := &flattener{dec: dec, file: file, text: text, vars: map[string]string{}}
	if err := f.value(nil); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return f.vars, nil
}

type flattener struct {
	dec        *json.Decoder
	file, text string
	vars       map[string]string
}

// value takes the next value, whose name has the parts of path.
func (f *flattener) value(path []string) error {
	token, err := f.dec.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if len(path) == maxDepth {
			return f.error("objects lie more than %d deep in each other: make it flatter", maxDepth)
		}
		return f.members(path, v == '{')
	case nil:
		return nil
	case string:
		return f.set(path, v)
	default:
		return f.set(path, fmt.Sprint(v))
	}
}

// members takes those of an object, or of an array, whose names are 0, 1, ….
func (f *flattener) members(path []string, object bool) error {
	for n := 0; f.dec.More(); n++ {
		key := fmt.Sprint(n)
		if object {
			token, err := f.dec.Token()
			if err != nil {
				return err
			}
			key, _ = token.(string) // nothing else can stand there
		}
		if err := f.value(append(path, key)); err != nil {
			return err
		}
	}
	_, err := f.dec.Token()
	return err
}

func (f *flattener) set(path []string, value string) error {
	name := strings.ToUpper(strings.Join(path, "_"))
	if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
		return f.error("an environment cannot hold this name or value: names may not be empty or have = or NUL in them, values no NUL")
	}
	f.vars[name] = value
	return nil
}

func (f *flattener) error(format string, args ...any) error {
	line := 1 + strings.Count(f.text[:min(int(f.dec.InputOffset()), len(f.text))], "\n")
	return fmt.Errorf("%s line %d: %s", f.file, line, fmt.Sprintf(format, args...))
}
