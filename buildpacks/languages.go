package buildpacks

import "strings"

// The languages that Detect looks into. Others are named only.
const (
	python = "python"
	nodejs = "nodejs"
	golang = "go"
	static = "static"
)

// A sign is a set of names in the root that tell a language.
type sign struct {
	language string
	names    []string // files or directories; "x/" only a directory; "*" is a pattern of files
}

// signs are in the order of deciding: first what only one language has, then
// package.json, which apps of every language have for their assets, then what
// is often there by accident. Among equals it is Heroku's order.
var signs = []sign{
	{"ruby", []string{"Gemfile"}},
	{python, []string{"requirements.txt", "Pipfile.lock", "Pipfile", "poetry.lock", "uv.lock", "manage.py"}},
	{"clojure", []string{"project.clj"}},
	{"java", []string{"pom.xml", "pom.yml", "pom.yaml", "pom.clj", "pom.groovy", "pom.rb", "pom.scala", "pom.atom"}},
	{"java", []string{"build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "gradlew"}},
	{"scala", []string{"*.sbt", "build.sc"}},
	{"php", []string{"composer.json"}},
	{golang, []string{"go.mod", "go.work", "Gopkg.lock", "Godeps/Godeps.json", "vendor/vendor.json", "glide.yaml"}},
	{"rust", []string{"Cargo.toml"}},
	{"elixir", []string{"mix.exs"}},
	{"dotnet", []string{"*.sln", "*.slnx", "*.csproj", "*.fsproj", "*.vbproj"}},
	{nodejs, []string{"package.json"}},
	{python, []string{
		"pyproject.toml", "runtime.txt", ".python-version", "setup.py", "setup.cfg", "pdm.lock",
		"__init__.py", "app.py", "main.py", "server.py",
		"requeriments.txt", "requirement.txt", "requirements", "requirements.text",
		"Requirements.txt", "requirements.txt.txt", "requirments.txt",
		"__pycache__/", ".venv/", "venv/",
	}},
	{"ruby", []string{"config.ru"}},
	{"php", []string{"index.php"}},
	{golang, []string{"*.go"}},
	{"clojure", []string{"deps.edn"}},
	{nodejs, []string{"server.js", "index.js"}},
	{static, []string{"static.json", ".static", "Staticfile", "index.html", "public/index.html"}},
}

// matches returns each language that the tree could be, the first first.
func (d *detector) matches() []Match {
	var found []Match
	seen := make(map[string]bool)
	for _, s := range signs {
		if seen[s.language] {
			continue
		}
		if name := d.tree.first(s.names); name != "" {
			seen[s.language] = true
			found = append(found, Match{Language: s.language, File: name})
		}
	}
	return found
}

// first returns the first of the names that the tree has.
func (t *tree) first(names []string) string {
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "*"):
			if file := t.glob(name); file != "" {
				return file
			}
		case strings.HasSuffix(name, "/"):
			if t.isDir(strings.TrimSuffix(name, "/")) {
				return name
			}
		case t.exists(name):
			return name
		}
	}
	return ""
}

// managers name the package manager of languages that are not looked into.
var managers = []struct{ language, file, manager string }{
	{"php", "composer.json", "composer"},
	{"rust", "Cargo.toml", "cargo"},
	{"clojure", "project.clj", "leiningen"},
	{"elixir", "mix.exs", "mix"},
	{"scala", "build.sbt", "sbt"},
}

func (d *detector) manager() {
	for _, m := range managers {
		if m.language == d.plan.Language && d.tree.isFile(m.file) {
			d.managerIs(m.manager, m.file)
			return
		}
	}
	// A Gemfile.lock alone is left by any `bundle install`; with a Rack file,
	// a Rakefile or a Procfile it is how the app is started.
	if d.plan.Language == "ruby" && d.tree.isFile("Gemfile.lock") &&
		d.tree.first([]string{"config.ru", "Rakefile", procfileName}) != "" {
		d.managerIs("bundler", "Gemfile.lock")
	}
}

func (d *detector) managerIs(name, file string) {
	d.plan.PackageManager = name
	d.because("package_manager", name, file, 0, foundIn(file))
}

// LanguageName is a language as people write it: "Python", "Node.js". An app
// that has none is what its Procfile starts.
func LanguageName(language string) string {
	switch language {
	case nodejs:
		return "Node.js"
	case "php":
		return "PHP"
	case "dotnet":
		return ".NET"
	case static:
		return "Static"
	case "":
		return "Procfile"
	default:
		return strings.ToUpper(language[:1]) + language[1:]
	}
}
