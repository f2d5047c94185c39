package state

// Wanted is what should run of an app.
type Wanted struct {
	App       App
	Release   Release     // the newest; its Version is 0 if there is none
	Formation []Formation // by type
}
