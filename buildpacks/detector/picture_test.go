package detector_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/buildpacks/detector"
	"slipway/internal/testkit/browser"
)

// somebodys is a builder as an author of buildpacks might have it, and apps for
// it: one whose plan does not resolve, one that two groups would take, and one
// that a buildpack stumbles over.
var somebodys = map[string]string{
	"builder.toml": order("jdk maven procfile?", "node yarn? procfile?", "python node? procfile?", "static"),

	"jdk/bin/detect":    "#!/bin/sh\nprintf '[[provides]]\\nname = \"jdk\"\\n' >\"$CNB_BUILD_PLAN_PATH\"\n",
	"maven/bin/detect":  "#!/bin/sh\ntest -f pom.xml || exit 100\necho 'Maven project in pom.xml'\nprintf '[[requires]]\\nname = \"jdk\"\\n[requires.metadata]\\nversion = \"21\"\\n' >\"$CNB_BUILD_PLAN_PATH\"\ntest ! -f settings.xml || { echo 'settings.xml wants a mirror'; printf '[[requires]]\\nname = \"mirror\"\\n' >>\"$CNB_BUILD_PLAN_PATH\"; }\n",
	"node/bin/detect":   "#!/bin/sh\ntest -f package.json || exit 100\nprintf '[[provides]]\\nname = \"node\"\\n[[requires]]\\nname = \"node\"\\n' >\"$CNB_BUILD_PLAN_PATH\"\n",
	"yarn/bin/detect":   "#!/bin/sh\ntest -f yarn.lock || exit 100\nprintf '[[requires]]\\nname = \"node\"\\n' >\"$CNB_BUILD_PLAN_PATH\"\n",
	"python/bin/detect": "#!/bin/sh\ntest ! -f setup.py || { echo \"cannot read setup.py\" >&2; exit 1; }\ntest -f requirements.txt || exit 100\nprintf '[[provides]]\\nname = \"python\"\\n[[requires]]\\nname = \"python\"\\n' >\"$CNB_BUILD_PLAN_PATH\"\n",
	"static/bin/detect": "#!/bin/sh\ntest -f index.html || exit 100\n", "procfile/bin/detect": "#!/bin/sh\ntest -f Procfile || exit 100\n",

	"apps/billing/pom.xml": "", "apps/billing/settings.xml": "", "apps/billing/Procfile": "web: java -jar app.jar\n",
	"apps/blog/requirements.txt": "", "apps/blog/package.json": "{}",
	"apps/docs/index.html":  "",
	"apps/reports/setup.py": "", "apps/shop/package.json": "{}", "apps/shop/yarn.lock": "", "apps/shop/Procfile": "web: node .\n",
}

// order writes a builder.toml: buildpacks by the directory that they are in, those
// of a group in one text.
func order(groups ...string) string {
	var buildpacks, orders strings.Builder
	seen := map[string]bool{}
	for _, group := range groups {
		orders.WriteString("[[order]]\n")
		for name := range strings.FieldsSeq(group) {
			name, optional := strings.CutSuffix(name, "?")
			orders.WriteString("[[order.group]]\nid = \"acme/" + name + "\"\n")
			if optional {
				orders.WriteString("optional = true\n")
			}
			if !seen[name] {
				buildpacks.WriteString("[[buildpacks]]\nuri = \"" + name + "\"\n")
			}
			seen[name] = true
		}
	}
	return buildpacks.String() + orders.String()
}

// TestPicture makes the picture of README: go test ./buildpacks/detector -run
// TestPicture -pictures $PWD/buildpacks/detector/html.
func TestPicture(t *testing.T) {
	if *pictures == "" {
		t.Skip("-pictures names no directory")
	}
	dir := t.TempDir()
	for name, content := range somebodys {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil { //nolint:gosec // scripts are among them
			t.Fatal(err)
		}
		if id, found := strings.CutSuffix(name, "/bin/detect"); found {
			toml := "api = \"0.10\"\n[buildpack]\nid = \"acme/" + id + "\"\nversion = \"1.2.0\"\n[[targets]]\nos = \"linux\"\n"
			if err := os.WriteFile(filepath.Join(dir, id, "buildpack.toml"), []byte(toml), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Chdir(dir)
	b, err := detector.Open(t.Context(), detector.Source{Builder: "builder.toml"})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	defer func() { _ = b.Close() }() // it ends with the test
	var cases []detector.Case
	apps, err := filepath.Glob("apps/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range apps {
		r, err := b.Detect(t.Context(), app, detector.Options{All: true, Jobs: 1})
		if err != nil {
			t.Fatalf("Detect(%q) = %v", app, err)
		}
		cases = append(cases, detector.CaseOf(r))
	}
	var page bytes.Buffer
	if err := detector.WriteHTML(&page, "slipway detect apps/* --builder builder.toml", cases); err != nil {
		t.Fatalf("WriteHTML = %v", err)
	}
	if err := os.WriteFile("page.html", page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browser.Open(t, 1120, 1420)
	p.Go("file://" + filepath.Join(dir, "page.html"))
	picture(t, p, "detect")
}
