package state

// A Formation is how many dynos of one process type are wanted.
type Formation struct {
	App      string // the app's name
	Type     string // of a process: "web"
	Quantity int
}

// MaxQuantity is the most dynos of one process type.
const MaxQuantity = 100
