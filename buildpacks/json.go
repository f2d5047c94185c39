package buildpacks

import (
	"bytes"
	"encoding/json"
)

// planJSON is the form of a plan that scripts read. Unknown things are null.
type planJSON struct {
	Language         *string      `json:"language"`
	PackageManager   *string      `json:"package_manager"`
	VersionRequested *string      `json:"version_requested"`
	VersionOrigin    *string      `json:"version_origin"`
	VersionResolved  *string      `json:"version_resolved"`
	Error            *string      `json:"error"`
	Unavailable      *string      `json:"unavailable"`
	Message          *string      `json:"message"`
	Processes        processes    `json:"processes"`
	Reasons          []reasonJSON `json:"reasons"`
	Warnings         []string     `json:"warnings"`
	AlsoMatches      []string     `json:"also_matches"`
	Files            []string     `json:"files"`
}

type reasonJSON struct {
	Subject string `json:"subject"`
	Value   string `json:"value"`
	Text    string `json:"text"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// MarshalJSON writes the plan for scripts: language, package_manager,
// version_requested, version_origin, version_resolved, error (an id or null),
// unavailable (an id or null), message (the title of the error, or of the
// first warning, or null), processes, reasons, warnings (ids), also_matches
// and files.
func (p *Plan) MarshalJSON() ([]byte, error) {
	j := planJSON{
		Language:         orNull(p.Language),
		PackageManager:   orNull(p.PackageManager),
		VersionRequested: orNull(p.Version.Requested),
		VersionOrigin:    orNull(p.Version.Origin),
		VersionResolved:  orNull(p.Version.Resolved),
		Message:          orNull(p.Message()),
		Processes:        p.Processes,
		Reasons:          []reasonJSON{},
		Warnings:         []string{},
		AlsoMatches:      []string{},
		Files:            append([]string{}, p.Files...),
	}
	if p.Error != nil {
		j.Error = orNull(p.Error.ID)
	}
	if p.Unavailable != nil {
		j.Unavailable = orNull(p.Unavailable.ID)
	}
	for _, r := range p.Reasons {
		j.Reasons = append(j.Reasons, reasonJSON(r))
	}
	for _, w := range p.Warnings {
		j.Warnings = append(j.Warnings, w.ID)
	}
	for _, m := range p.AlsoMatches {
		j.AlsoMatches = append(j.AlsoMatches, m.Language)
	}
	return json.Marshal(j)
}

// Message is the title of what stops the plan, or else of its first warning.
func (p *Plan) Message() string {
	switch {
	case p.Error != nil:
		return p.Error.Error()
	case p.Unavailable != nil:
		return p.Unavailable.Error()
	case len(p.Warnings) > 0:
		return p.Warnings[0].Lines[0]
	default:
		return ""
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// processes are an object, type to command, in their order.
type processes []Process

func (p processes) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, proc := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, s := range []string{proc.Type, proc.Command} {
			text, err := json.Marshal(s)
			if err != nil {
				return nil, err
			}
			b.Write(text)
			b.WriteByte(':')
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
