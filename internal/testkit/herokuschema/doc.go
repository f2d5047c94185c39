// Package herokuschema checks answers of the API against the JSON schema that
// Heroku publishes, in tests only.
//
// An answer passes if its request has a link in the schema, or a line in the
// list of Slipway's own (own.go); if its body is valid by the link's target; if
// no property is left out that the schema knows; and if its headers are there.
// An error must be an error in Heroku's shape, with an ID that fits its status.
//
// Where the schema says what only Heroku's own servers can keep to, departures
// says what counts instead (departures.go).
//
//	watch := herokuschema.Watch(func(err error) { t.Error(err) })
//	srv := httptest.NewServer(watch.Handler(api))
package herokuschema
