// Package sqlite stores the control plane's state in one SQLite file, with the
// pure Go driver and a write-ahead log.
//
// A [Store] may be used by several goroutines at once. One process at a time
// owns the file: the server holds a lock on its data directory.
package sqlite
