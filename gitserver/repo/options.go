package repo

import "time"

// Options are a repository's limits. A zero field stands for its default; a
// negative limit switches it off.
type Options struct {
	MaxPackBytes    int64         // bytes of one pack on the wire; 2 GiB if zero
	MaxObjects      int64         // objects in one pack; 10 million if zero
	MaxObjectSize   int64         // inflated bytes of one object; 512 MiB if zero
	MaxHeldSize     int64         // inflated bytes of what must be held in memory: commits, trees, tags, bases and results of deltas; 128 MiB if zero
	MaxInflated     int64         // inflated bytes of all objects of one pack, results of deltas and bases of a thin pack included; 64 GiB if zero
	MaxDeltaDepth   int           // longest chain of deltas; 4095 if zero
	MaxInflateRatio int64         // most that a byte of a pack may inflate to, once all of it is more than 1 GiB; 10000 if zero
	Budget          *Budget       // memory that pushes and fetches share; without a bound if nil
	Workers         int           // goroutines that resolve the deltas of one pack; GOMAXPROCS if zero
	LockTimeout     time.Duration // wait for another one's lock file; 5s if zero
	NoSync          bool          // leave out fsync, for tests and throw-away repositories

	step func(op string) error // for tests: called before each step of upkeep that changes a file
}

// IngestOptions tell Ingest about one pack.
type IngestOptions struct {
	// EOF says that the reader ends behind the pack (an HTTP body). Otherwise
	// nothing is read beyond the pack's last byte, but bytes that came along
	// with it are refused all the same.
	EOF bool
	// Progress, if set, is called now and then from one goroutine at a time.
	Progress func(Progress)
	// OnWait, if set, is called once if the pack has to wait for memory.
	OnWait func()
}

// A Stage is a part of taking in or sending out a pack.
type Stage int

// The stages.
const (
	StageReceiving Stage = iota // entries read from the wire
	StageResolving              // deltas resolved
	StageCounting               // objects found by the walk; total unknown
	StageWriting                // objects sent
)

// Progress is how far a stage has come.
type Progress struct {
	Stage Stage
	Done  int
	Total int // 0 if not known yet
	Bytes int64
}

// PackOptions say how WritePack writes.
type PackOptions struct {
	OfsDelta   bool // the reader takes offset deltas; otherwise reference deltas are sent
	Thin       bool // the reader takes deltas against objects that it has
	IncludeTag bool // send annotated tags of what is sent, too
	// HiddenTag, if set, says which refs IncludeTag leaves out, by full name.
	HiddenTag func(name string) bool
	// Filter leaves objects out, for a partial clone. A pack is thin only if it
	// leaves out nothing, or all blobs.
	Filter *Filter
	// Shallow are the commits whose parents the reader has not, or is not to
	// get: as if they were the first ones (see Deepen).
	Shallow []Hash
	// Progress, if set, is called now and then.
	Progress func(Progress)
}
