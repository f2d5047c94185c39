// Package postgres stores the control plane's state in a PostgreSQL database,
// which several servers can share.
//
// The database exists already, and its user may make tables in it. A [Store]
// may be used by several goroutines at once, and one database by several
// processes: those that start at once bring its tables up to date one after
// another.
package postgres
