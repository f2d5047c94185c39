package buildpacks

// A Plan is what detection decided about a tree, and why. Detect returns one
// even when it fails, with what was known by then.
type Plan struct {
	// Language is "python", "nodejs", "go", "static", …; "" when nothing recognises
	// the tree, which is an error unless a Procfile declares what to run.
	Language       string
	PackageManager string // "pip", "pipenv", "poetry", "uv", "npm", "gomod", …; "" if none or unknown

	Version Version

	Processes []Process // in the order of the Procfile
	// HasProcfile says whether the tree has a Procfile, even an empty one or
	// one that is no file.
	HasProcfile bool

	Reasons     []Reason  // one for each thing decided, in the order of deciding
	Warnings    []Warning // what the pusher should know, in the order of Heroku's
	AlsoMatches []Match   // languages that would be next, had the first not matched
	Files       []string  // files whose content was read

	// Error is why the tree cannot be built, nil if it can.
	Error *DetectError
	// Unavailable is set when all is well but the builder lacks the version
	// asked for: Heroku too notices that only while building.
	Unavailable *DetectError
}

// A Version is a language version: as asked for, and as it will be.
type Version struct {
	Requested string // "3.13", "3.12.3", "22.x"; "" if nobody knows
	Origin    string // "runtime.txt", ".python-version", "engines.node", "default", …
	Resolved  string // a full version, "" if it cannot be had or is not resolved here
}

// A Process is a process type and the command that it runs through bash.
type Process struct {
	Type    string
	Command string
	Line    int  // in the Procfile, from 1
	Default bool // what the image runs when no type is named
}

// A Reason tells where a decision came from.
type Reason struct {
	Subject string // "language", "package_manager", "version", "processes"
	Value   string // what was decided
	Text    string // a sentence without its full stop
	File    string // "" if no file decided
	Line    int    // 0 if no line did
}

// A Warning is a text block for the pusher that stops nothing.
type Warning struct {
	ID    string   // such as "runtime-txt::deprecated"
	Lines []string // the first is the title; none has a prefix
}

// A Match is a language whose files are there too.
type Match struct {
	Language string
	File     string
}

// Web returns the web process, if there is one.
func (p *Plan) Web() (Process, bool) {
	for _, proc := range p.Processes {
		if proc.Type == "web" {
			return proc, true
		}
	}
	return Process{}, false
}
