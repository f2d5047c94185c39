package static

import (
	"bytes"
	"strings"
)

// parseStaticfile reads the simple lines of a Staticfile, as Cloud Foundry's
// buildpack has it: "key: value", and one level below "status_codes".
func parseStaticfile(data []byte) (s Settings, unknown []string, err error) {
	section := ""
	for n, line := range bytes.Split(data, []byte("\n")) {
		text := string(bytes.TrimRight(line, "\r \t"))
		if i := strings.Index(text, " #"); i >= 0 {
			text = text[:i]
		}
		trimmed := strings.TrimSpace(text)
		if trimmed == "" || trimmed == "---" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		key, value, ok := strings.Cut(trimmed, ":")
		if !ok {
			return s, nil, &settingsError{file: staticFile, what: "it isn't a line such as 'root: public'", line: n + 1}
		}
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		if text[0] != ' ' && text[0] != '\t' {
			section = ""
		}
		switch {
		case section != "":
			if section == "status_codes" && key == "404" {
				s.ErrorPage = value
			} else {
				unknown = append(unknown, section+": "+key)
			}
		case value == "":
			section = key
			if key != "status_codes" {
				unknown = append(unknown, key)
			}
		case !s.setLine(key, value):
			unknown = append(unknown, key)
		}
	}
	return s, unknown, nil
}

func (s *Settings) setLine(key, value string) (known bool) {
	on := value == "enabled" || value == "true"
	switch key {
	case "root":
		s.Root = value
	case "pushstate":
		if on {
			s.Routes = append(s.Routes, Pair{"/**", "index.html"})
		}
	case "force_https":
		s.HTTPSOnly = on
	case "http_strict_transport_security":
		s.HSTS = on
	case "directory", "host_dot_files", "ssi":
		return !on // off is what it is
	case "enable_http2":
	default:
		return false
	}
	return true
}
