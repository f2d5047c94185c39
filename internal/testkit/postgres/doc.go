// Package postgres starts a PostgreSQL server for tests: a real one, Debian's,
// with a directory, a socket and a port of its own on loopback. A test binary
// has one, from the first [Database] to the end of [Main]; each test gets a
// database.
//
// It needs the Debian package postgresql; as root it runs as that package's
// user. A test fails without, unless it runs with -short, when it is skipped.
//
//	func TestMain(m *testing.M) { os.Exit(postgres.Main{M: m}.Run()) }
//
//	func TestStore(t *testing.T) {
//		address := postgres.Database(t) // postgres://…
package postgres
