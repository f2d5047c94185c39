package repo

// WithStep has a function called before each step of upkeep that changes a
// file; an error fails the step.
func (o Options) WithStep(f func(op string) error) Options {
	o.step = f
	return o
}
