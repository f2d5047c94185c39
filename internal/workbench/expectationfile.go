package workbench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
)

// compare returns the keys whose answers are not what is expected, and the answers
// in the form of the expectation.
func (e *expectation) compare(got answers) (different []string, shaped answers, err error) {
	shaped = answers{}
	for _, key := range e.judged() {
		var want any
		if err := json.Unmarshal(e.values[key], &want); err != nil {
			return nil, nil, fmt.Errorf("%s: read %q: %w", e.file, key, err)
		}
		shaped[key] = like(key, got[key], want)
		if !reflect.DeepEqual(shaped[key], want) {
			different = append(different, key)
		}
	}
	return different, shaped, nil
}

// diff shows expected and given answers as a unified diff; "" if they are equal.
func (e *expectation) diff(shaped answers) (string, error) {
	want := answers{}
	for _, key := range e.judged() {
		var value any
		if err := json.Unmarshal(e.values[key], &value); err != nil {
			return "", err
		}
		want[key] = value
	}
	return diffAnswers(e.judged(), e.file, want, "detected", shaped)
}

// diffAnswers shows two sets of answers as a unified diff of JSON.
func diffAnswers(keys []string, fromName string, from answers, toName string, to answers) (string, error) {
	a, err := object(keys, from, "  ")
	if err != nil {
		return "", err
	}
	b, err := object(keys, to, "  ")
	if err != nil {
		return "", err
	}
	return difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(a), B: difflib.SplitLines(b), FromFile: fromName, ToFile: toName, Context: 3,
	})
}

// object writes answers in the order of keys.
func object(keys []string, values answers, indent string) (string, error) {
	var b strings.Builder
	b.WriteString("{\n")
	for i, key := range keys {
		text, err := write(values[key], indent, indent)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s%q: %s", indent, key, text)
		if i < len(keys)-1 {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString("}")
	return b.String(), nil
}

// set takes answers over: those of a new expectation, or those that differ.
func (e *expectation) set(keys []string, values answers) error {
	for _, key := range keys {
		text, err := write(values[key], e.indent, e.indent)
		if err != nil {
			return err
		}
		if _, have := e.values[key]; !have {
			e.keys = append(e.keys, key)
		}
		e.values[key] = json.RawMessage(text)
	}
	return nil
}

// save writes the expectation, whole or not at all.
func (e *expectation) save() error {
	var b bytes.Buffer
	b.WriteString("{\n")
	for i, key := range e.keys {
		name, err := write(key, "", "")
		if err != nil {
			return err
		}
		b.WriteString(e.indent + name + ": ")
		b.Write(e.values[key])
		if i < len(e.keys)-1 {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	return writeWhole(e.file, b.Bytes())
}

// writeWhole replaces a file at once, and keeps its mode. A symbolic link to it
// stays.
func writeWhole(file string, data []byte) error {
	if end, err := filepath.EvalSymlinks(file); err == nil {
		file = end
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	for _, do := range []func() error{func() error { return temp.Chmod(mode) }, temp.Sync, temp.Close} {
		if e := do(); err == nil {
			err = e
		}
	}
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temp.Name()) // the error tells more
	}
	return err
}

// indentOf is how far a JSON object's keys stand in.
func indentOf(data []byte) string {
	_, after, ok := bytes.Cut(data, []byte("{\n"))
	if !ok {
		return "  "
	}
	indent := after[:len(after)-len(bytes.TrimLeft(after, " \t"))]
	if len(indent) == 0 || len(indent) > 8 {
		return "  "
	}
	return string(indent)
}
