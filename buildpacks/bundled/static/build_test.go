package static_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/buildpacks"
	"slipway/buildpacks/bundled/cnbtest"
	"slipway/buildpacks/bundled/static"
)

func TestDetectIsForStaticSites(t *testing.T) {
	t.Parallel()
	page := &fstest.MapFile{Data: []byte("<p>")}
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"a page":                      {fstest.MapFS{"index.html": page}, true},
		"a page in public":            {fstest.MapFS{"public/index.html": page}, true},
		"settings":                    {fstest.MapFS{"static.json": {}}, true},
		"Node.js with a page":         {fstest.MapFS{"package.json": {Data: []byte("{}")}, "index.html": page}, false},
		"Node.js that makes a site":   {fstest.MapFS{"package.json": {Data: []byte("{}")}, "static.json": {}}, true},
		"Python with settings for it": {fstest.MapFS{"requirements.txt": {}, "static.json": {}}, false},
	} {
		var app fs.FS = c.files
		plan, err := buildpacks.Detect(t.Context(), app, buildpacks.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := static.Detect(app, plan); got.Pass != c.want {
			t.Errorf("%s: Detect = %v, want %v", name, got.Pass, c.want)
		}
	}
}

func TestBuildSays(t *testing.T) {
	t.Parallel()
	page := "<p>hello"
	for name, c := range map[string]struct {
		files map[string]string
		env   map[string]string
		code  int
		want  []string
	}{
		"the root":             {map[string]string{"index.html": page}, nil, 0, []string{"-----> Serving your app's root directory\n-----> Installing Caddy 0\n"}},
		"public before it":     {map[string]string{"index.html": page, "public/index.html": page}, nil, 0, []string{"-----> Serving public\n"}},
		"where it says":        {map[string]string{"static.json": `{"root": "www/"}`, "www/index.html": page}, nil, 0, []string{"-----> Reading static.json\n-----> Serving www\n"}},
		"where a setting says": {map[string]string{"index.html": page, "www/index.html": page}, map[string]string{"NGINX_ROOT": "www"}, 0, []string{"-----> Serving www\n"}},
		"a Staticfile": {
			map[string]string{"Staticfile": "---\nroot: www # the pages\npushstate: enabled\nssi: enabled\nstatus_codes:\n  404: /404.html\n  500: /500.html\n", "www/index.html": page, "www/404.html": page},
			nil, 0,
			[]string{"-----> Serving www\n", " !     ssi\n !     status_codes: 500\n"},
		},
		"an unknown setting": {
			map[string]string{"static.json": `{"root": ".", "proxies": {}}`, "index.html": page},
			nil, 0,
			[]string{" !     Warning: Some settings in static.json are ignored.\n", " !     proxies\n"},
		},
		"no page": {map[string]string{"static.json": "{}"}, nil, 0, []string{" !     Warning: Your site has no index.html.\n"}},
		"no error page": {
			map[string]string{"static.json": `{"error_page": "oops.html"}`, "index.html": page},
			nil, 0,
			[]string{" !     oops.html isn't a file in .,"},
		},
		"no such directory":  {map[string]string{"static.json": `{"root": "dist"}`}, nil, 1, []string{" !     Error: The directory of your site isn't there.\n", "slipway buildpacks:set slipway/nodejs slipway/static"}},
		"somewhere else":     {map[string]string{"static.json": `{"root": "../../etc"}`}, nil, 1, []string{" !     Error: The directory of your site isn't there.\n"}},
		"not JSON":           {map[string]string{"static.json": "{\n  \"root\": \"x\",\n  oops\n}"}, nil, 1, []string{" !     Line 3 of static.json: it isn't valid JSON"}},
		"not an object":      {map[string]string{"static.json": "[]"}, nil, 1, []string{"it must be an object"}},
		"a wrong kind":       {map[string]string{"static.json": "{\n\"clean_urls\": \"yes\"}"}, nil, 1, []string{" !     Line 2 of static.json: \"clean_urls\" can't be understood"}},
		"a wrong status":     {map[string]string{"static.json": `{"redirects": {"/a": {"url": "/b", "status": 200}}}`}, nil, 1, []string{"must be 301"}},
		"two lines":          {map[string]string{"static.json": `{"headers": {"/": {"X": "a\nb"}}}`}, nil, 1, []string{"header is one line"}},
		"a password":         {map[string]string{"static.json": `{"basic_auth": true}`, "index.html": page}, nil, 1, []string{"password isn't supported"}},
		"a file of them":     {map[string]string{"Staticfile.auth": "me:x", "Staticfile": "", "index.html": page}, nil, 1, []string{"password isn't supported"}},
		"a line of nonsense": {map[string]string{"Staticfile": "root: x\nnonsense\n"}, nil, 1, []string{" !     Line 2 of Staticfile: it isn't a line such as"}},
		"a broken Procfile":  {map[string]string{"index.html": page, "Procfile": "nonsense\n"}, nil, 1, []string{" !     Error: Invalid Procfile format.\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, "", c.files)
			p.Env = c.env
			out, code := p.Run("build")
			if code != c.code {
				t.Errorf("bin/build = %d, want %d:\n%s", code, c.code, out)
			}
			cnbtest.WantIn(t, out, c.want...)
		})
	}
}

func TestRootIsNoLinkOutOfTheApp(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "", map[string]string{"static.json": `{"root": "www"}`})
	if err := os.Symlink("/etc", filepath.Join(p.App, "www")); err != nil {
		t.Fatal(err)
	}
	if out, code := p.Run("build"); code != 1 {
		t.Errorf("bin/build = %d, want 1:\n%s", code, out)
	}
}

func TestCompressesOnlyWhatHasChanged(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("words and words. ", 100)
	p := newPlatform(t, "", map[string]string{
		"index.html": long, "a.css": long, "gone.js": long, "small.css": "x", "photo.jpg": long, ".git/index.html": long, "node_modules/x.js": long,
	})
	cnbtest.WantIn(t, p.Build(), "-----> Compressing files with gzip and brotli\n       Files: 3, of these 0 in the cache\n")
	if err := os.Remove(filepath.Join(p.App, "gone.js")); err != nil {
		t.Fatal(err)
	}
	p.Write(p.App, map[string]string{"a.css": long + "more"})
	cnbtest.WantIn(t, p.Build(), "-----> Compressing files with gzip and brotli\n       Files: 2, of these 1 in the cache\n")
	for name, want := range map[string]bool{
		"index.html.br": true, "index.html.gz": true, "a.css.br": true, "gone.js.br": false, "small.css.br": false, "photo.jpg.gz": false,
	} {
		if _, err := os.Stat(filepath.Join(p.Layers, "compressed", name)); (err == nil) != want {
			t.Errorf("%s is there = %v, want %v", name, err == nil, want)
		}
	}
	if err := os.WriteFile(filepath.Join(p.Layers, "compressed", "manifest.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	cnbtest.WantIn(t, p.Build(), "Files: 2, of these 0 in the cache\n")
}
