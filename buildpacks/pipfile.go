package buildpacks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const pipfileLock = "Pipfile.lock"

// pipfileVersion is the Python version in Pipfile.lock and its line, "" if it
// says none.
func (d *detector) pipfileVersion() (version string, line int, err error) {
	data, err := d.tree.content(pipfileLock, maxLockFile)
	if err != nil {
		return "", 0, err
	}
	found, err := parsePipfileLock(data)
	if err != nil {
		return "", 0, badPipfileJSON(err)
	}
	if found == nil {
		return "", 0, nil
	}
	line = lineOfKey(data, "_meta", "requires", "python_full_version")
	if line == 0 {
		line = lineOfKey(data, "_meta", "requires", "python_version")
	}
	if _, ok := parseVersion(*found); !ok {
		return "", 0, d.badPipfileVersion(*found, line)
	}
	return *found, line, nil
}

// parsePipfileLock returns _meta.requires.python_full_version, or else
// python_version, or nil. It reads as jq does, whose verdict is Heroku's:
// null and false count as absent in the first place, numbers are taken as
// they are written, and a file without any value gives an empty version.
func parsePipfileLock(data []byte) (*string, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	dec := json.NewDecoder(bytes.NewReader(data))
	var found []string
	for {
		var root json.RawMessage
		err := dec.Decode(&root)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, jsonPlace(data, err)
		}
		text, err := lockVersion(root)
		if err != nil {
			return nil, err
		}
		found = append(found, text)
	}
	if len(found) == 1 && found[0] == "null" {
		return nil, nil
	}
	version := shellOutput(strings.Join(found, "\n"))
	return &version, nil
}

// shellOutput is what a shell keeps of a command's output.
func shellOutput(s string) string {
	return strings.TrimRight(strings.ReplaceAll(s, "\x00", ""), "\n")
}

func lockVersion(root json.RawMessage) (string, error) {
	requires := root
	for _, key := range []string{"_meta", "requires"} {
		var err error
		if requires, err = member(requires, key); err != nil {
			return "", err
		}
	}
	version, err := member(requires, "python_full_version")
	if err != nil {
		return "", err
	}
	if text := string(version); text == "null" || text == "false" {
		if version, err = member(requires, "python_version"); err != nil {
			return "", err
		}
	}
	var text string
	if json.Unmarshal(version, &text) == nil && string(version) != "null" {
		return text, nil
	}
	return string(version), nil
}

// member is the value of key in an object; null has every key, with null.
func member(value json.RawMessage, key string) (json.RawMessage, error) {
	value = bytes.TrimSpace(value)
	if string(value) == "null" {
		return value, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil {
		return nil, fmt.Errorf("'%s' is looked up in something that is not an object", key)
	}
	if found, ok := object[key]; ok {
		return bytes.TrimSpace(found), nil
	}
	return json.RawMessage("null"), nil
}

// jsonPlace adds the line and column to what encoding/json complains about.
func jsonPlace(data []byte, err error) error {
	offset := int64(len(data))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = min(syntax.Offset, offset)
	}
	before := data[:max(offset-1, 0)]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return &placeError{line: line, column: column, err: err}
}

// A placeError is a complaint about a place in a file.
type placeError struct {
	line, column int
	err          error
}

func (e *placeError) Error() string {
	return fmt.Sprintf("%v at line %d, column %d", e.err, e.line, e.column)
}

func (e *placeError) Unwrap() error { return e.err }
