// Package sqlstore keeps the control plane's state in an SQL database. It holds
// the queries; what differs between databases is a [Dialect], and lives with
// the driver in [slipway/internal/state/sqlite] and
// [slipway/internal/state/postgres]. Use those to open a [Store].
//
// Each change is one transaction, which also writes the audit that says who
// made it: there is no change without it, and no audit of what was not done.
// Changes of one app happen one after another. A Store may be used by several
// goroutines at once and, on PostgreSQL, by several processes.
//
//	s, err := sqlite.Open(ctx, path, sealer)
//	...
//	defer s.Close()
//	app, err := s.CreateApp(ctx, state.Actor{User: "ann"}, state.App{Name: "shop", Owner: "ann"})
package sqlstore
