package static

import "strings"

// A site is what the configuration of the file server is about.
type site struct {
	root       string   // directory that is served
	compressed string   // directory of compressed forms
	errorPage  string   // below root, "" if none
	hide       []string // names in root that are not served
	hashed     string   // a regular expression of paths that never change
}

// object is an object of Caddy's JSON configuration.
type object = map[string]any

const (
	fileSystem = "site"
	etagSuffix = ".slipway-etag" // known to buildpacks/bundled/caddy
	here       = "{http.request.uri.path}"
)

// config is the configuration of Caddy: https://caddyserver.com/docs/json
func (s Settings) config(at site) any {
	server := object{
		"listen": []string{":{env.PORT}"}, "protocols": []string{"h1"}, "automatic_https": object{"disable": true},
		"read_header_timeout": "30s", "idle_timeout": "2m",
		"routes": s.routes(at), "errors": object{"routes": errorRoutes(at)},
	}
	if !s.Quiet {
		server["logs"] = object{}
	}
	files := object{"backend": "slipway_site", "root": at.root, "compressed": at.compressed, "hide": at.hide}
	return object{
		"admin":   object{"disabled": true, "config": object{"persist": false}},
		"storage": object{"module": "file_system", "root": "/tmp/caddy"},
		"logging": logging(),
		"apps": object{
			"caddy.filesystems": object{"filesystems": []any{object{"name": fileSystem, "file_system": files}}},
			"http":              object{"grace_period": "20s", "servers": object{"site": server}},
		},
	}
}

// logging writes a line for each request to the app's log, without what is long,
// and otherwise only what is wrong.
func logging() object {
	const requests = "http.log"
	drop := object{"filter": "delete"}
	stdout := object{"output": "stdout"}
	return object{"logs": object{
		"default": object{
			"level": "WARN", "writer": stdout, "encoder": object{"format": "json"}, "exclude": []string{requests, "admin"},
		},
		"requests": object{
			"level": "INFO", "writer": stdout, "include": []string{requests},
			"encoder": object{
				"format": "filter", "wrap": object{"format": "json"},
				"fields": object{
					"request>headers": drop, "request>tls": drop, "request>remote_ip": drop, "request>remote_port": drop,
					"request>client_ip": drop, "resp_headers": drop, "user_id": drop, "bytes_read": drop,
				},
			},
		},
	}}
}

func (s Settings) routes(at site) []any {
	routes := append([]any{}, s.hostRoutes()...)
	for _, r := range s.Redirects {
		routes = append(routes, object{"match": path(pattern(r.Pattern)), "handle": []any{redirect(r.Status, interpolate(r.URL))}})
	}
	routes = append(routes,
		object{"handle": []any{setHeader("Cache-Control", "no-cache")}},
		object{
			"match":  []any{object{"path_regexp": object{"pattern": at.hashed}, "file": try(here)}},
			"handle": []any{setHeader("Cache-Control", "public, max-age=31536000, immutable")},
		},
	)
	for _, h := range s.Headers {
		routes = append(routes, object{"match": path(pattern(h.Pattern)), "handle": []any{setHeader(h.Name, literal(h.Value))}})
	}
	if s.CleanURLs {
		routes = append(routes, cleanRoutes()...)
	}
	for _, r := range s.Routes {
		routes = append(routes, fallback(r))
	}
	return append(routes, object{"handle": []any{
		object{"handler": "encode", "encodings": object{"zstd": object{}, "gzip": object{}}, "prefer": []string{"zstd", "gzip"}, "minimum_length": minCompressed},
		serve(),
	}})
}

// hostRoutes are about how and by which name the site is asked for.
func (s Settings) hostRoutes() []any {
	var routes []any
	plain := object{"header": object{"X-Forwarded-Proto": []string{"http"}}}
	if s.HTTPSOnly {
		routes = append(routes, object{
			"match": []any{plain}, "handle": []any{redirect(301, "https://{http.request.host}{http.request.uri}")},
		})
	}
	if s.HSTS {
		routes = append(routes, object{"handle": []any{setHeader("Strict-Transport-Security", "max-age=31536000")}})
	}
	if host := s.CanonicalHost; host != "" {
		other := object{"host": []string{host}}
		routes = append(routes,
			object{
				"match":  []any{object{"not": []any{other}, "header": plain["header"]}},
				"handle": []any{redirect(301, "http://"+literal(host)+"{http.request.uri}")},
			},
			object{
				"match":  []any{object{"not": []any{other}}},
				"handle": []any{redirect(301, "https://"+literal(host)+"{http.request.uri}")},
			})
	}
	return routes
}

// cleanRoutes make /about of about.html.
func cleanRoutes() []any {
	return []any{
		object{
			"match":  []any{object{"path_regexp": object{"name": "page", "pattern": `^(.*/)index\.html$`}}},
			"handle": []any{redirect(301, "{http.regexp.page.1}")},
		},
		object{
			"match":  []any{object{"path_regexp": object{"name": "page", "pattern": `^(.+)\.html$`}, "file": try(here)}},
			"handle": []any{redirect(301, "{http.regexp.page.1}")},
		},
		object{
			"match":  []any{object{"file": try(here + ".html"), "not": []any{object{"file": try(here)}}}},
			"handle": []any{object{"handler": "rewrite", "uri": here + ".html"}},
		},
	}
}

// fallback answers paths that have no file by another file. The first route that
// matches is the only one; one to a directory means that nothing else is.
func fallback(r Pair) object {
	there := []any{object{"file": try(here, here+"/index.html")}}
	route := object{
		"group": "routes",
		"match": []any{object{"path_regexp": object{"pattern": pattern(r.Pattern)}, "not": there}},
	}
	if !strings.HasSuffix(r.Value, "/") {
		route["handle"] = []any{object{"handler": "rewrite", "uri": "/" + literal(strings.TrimPrefix(r.Value, "/"))}}
	}
	return route
}

// errorRoutes show the page for what is not found, and a line for other errors.
func errorRoutes(at site) []any {
	unset := object{
		"handler":  "headers",
		"request":  object{"delete": []string{"If-None-Match", "If-Modified-Since", "Range"}},
		"response": object{"set": object{"Cache-Control": []string{"no-cache"}}},
	}
	text := object{"handle": []any{unset, setHeader("Content-Type", "text/plain; charset=utf-8"), object{
		"handler": "static_response", "status_code": "{http.error.status_code}",
		"body": "{http.error.status_code} {http.error.status_text}\n",
	}}}
	if at.errorPage == "" {
		return []any{text}
	}
	page := object{
		"match":    []any{object{"vars": object{"{http.error.status_code}": []string{"404"}}}},
		"handle":   []any{unset, object{"handler": "rewrite", "uri": "/" + literal(at.errorPage)}, serve()},
		"terminal": true,
	}
	return []any{page, text}
}

func serve() object {
	return object{
		"handler": "file_server", "fs": fileSystem, "root": "/", "index_names": []string{"index.html", "index.htm"},
		"precompressed": object{"br": object{}, "gzip": object{}}, "precompressed_order": []string{"br", "gzip"},
		"etag_file_extensions": []string{etagSuffix},
	}
}

func path(expression string) []any {
	return []any{object{"path_regexp": object{"pattern": expression}}}
}

func try(files ...string) object { return object{"fs": fileSystem, "root": "/", "try_files": files} }

func setHeader(name, value string) object {
	return object{"handler": "headers", "response": object{"set": object{name: []string{value}}}}
}

func redirect(status int, to string) object {
	return object{"handler": "static_response", "status_code": status, "headers": object{"Location": []string{to}}}
}
