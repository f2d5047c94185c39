package sqlstore

import (
	"io/fs"
	"strconv"
	"strings"
)

// A Dialect is how a database differs from others.
type Dialect struct {
	// Numbered says that parameters are $1, $2, … and not ?.
	Numbered bool
	// ForUpdate is put behind a SELECT that must keep others from changing the
	// rows until the end of the transaction; "" if transactions are serial.
	ForUpdate string
	// Taken says that an error is a second row with a unique key.
	Taken func(error) bool
	// Migrations are scripts to run once, in the order of their names.
	Migrations fs.FS
	// BeforeMigration are run at the start of a migration's transaction: they
	// keep other processes out.
	BeforeMigration []string
	// ReadVersion selects how many migrations were run, WriteVersion takes the
	// number by fmt.Sprintf.
	ReadVersion, WriteVersion string
}

// rebind writes a query's parameters as the database wants them. No query has
// a question mark of its own.
func (d *Dialect) rebind(query string) string {
	if !d.Numbered {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}
