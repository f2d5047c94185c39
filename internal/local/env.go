package local

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
)

// envName is the file that is read where none is named.
const envName = ".env"

// An EnvFile is what a file of variables says.
type EnvFile struct {
	Vars     map[string]string
	JSON     bool
	Warnings []string // what is probably not meant so, with its line
}

var (
	envComment = regexp.MustCompile(`\s*#.*$`)
	// shellName is a name that a shell could use, too.
	shellName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// ParseEnv reads a JSON object, or lines of the form NAME=VALUE, in Heroku's
// dialect. A value in quotes ends at the next such quote and has no escapes; any
// other ends at "#". Nothing is interpolated, and "export" is not known. Errors
// and warnings name the file by name, and the line, but never a value.
func ParseEnv(name string, data []byte) (EnvFile, error) {
	text := string(withoutBOM(data))
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		vars, err := parseJSON(name, text)
		return EnvFile{Vars: vars, JSON: true}, err
	}
	f := EnvFile{Vars: map[string]string{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		value, closed := unquote(strings.TrimSpace(value))
		switch {
		case !closed:
			return f, fmt.Errorf("%s line %d: the quote is not closed: end the value on the same line with the quote that it begins with", name, n)
		case key == "" || strings.ContainsRune(line, 0):
			return f, fmt.Errorf("%s line %d is no NAME=VALUE: correct it, or put a # before it", name, n)
		case strings.HasPrefix(key, "export "):
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s line %d: export is taken for a part of the name: remove it", name, n))
		case !shellName.MatchString(key):
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s line %d: the name is one that shells cannot use: is it meant so?", name, n))
		}
		f.Vars[key] = value
	}
	return f, nil
}

// unquote takes a value out of its quotes, or away from its comment.
func unquote(value string) (_ string, closed bool) {
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return envComment.ReplaceAllString(value, ""), true
	}
	value, _, closed = strings.Cut(value[1:], value[:1])
	return value, closed
}

// loadEnv reads the env files, and says so. Files that are not there are passed
// over, as Heroku does, but not in silence if they were asked for.
func (c Config) loadEnv(out *console) (map[string]string, error) {
	names := c.EnvFiles
	if len(names) == 0 {
		names = []string{envName}
	}
	vars := map[string]string{}
	for _, name := range names {
		info, err := os.Stat(c.path(name))
		switch {
		case os.IsNotExist(err):
			if len(c.EnvFiles) > 0 {
				out.warn("The env file %q does not exist, ignoring it", name)
			}
			continue
		case err == nil && info.IsDir():
			out.warn("The specified location for the env file, %q, is not a file, ignoring it", name)
			continue
		}
		data, err := readFile(c.path(name))
		if err != nil {
			return nil, fmt.Errorf("read env file: %w", err)
		}
		f, err := ParseEnv(name, data)
		if err != nil {
			return nil, err
		}
		for _, warning := range f.Warnings {
			out.warn("%s", warning)
		}
		format := "KEY=VALUE"
		if f.JSON {
			format = "JSON"
		}
		out.okay("Loaded ENV %s File as %s Format", name, format)
		maps.Copy(vars, f.Vars)
	}
	if vars["PATH"] == "" {
		delete(vars, "PATH") // nothing would be found
	}
	return vars, nil
}

// lookup finds a variable in a list of NAME=VALUE. The last one counts.
func lookup(environ []string, name string) (value string, found bool) {
	for _, pair := range environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value, found = v, true
		}
	}
	return value, found
}

// environment is Environ with variables over it.
func (c Config) environment(vars map[string]string) []string {
	env := make([]string, 0, len(c.Environ)+len(vars)+2)
	env = append(env, c.Environ...)
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	return env
}
