// Package dyno keeps the wanted formation of every app running.
//
// A [Manager] reads from a [Store] what is wanted (a release, and how many
// dynos of each process type) and makes it so with a [Backend], which runs
// containers. Whoever changes what is wanted says so ([Manager.Released],
// [Manager.Changed], [Manager.Removed]). It starts dynos that crash again, ever
// later; lets new web dynos answer before the old ones stop; puts apps to sleep
// that nobody asks for and wakes them with a request ([Manager.Route]); counts
// dyno hours; and runs one-off dynos and release phases. The states, the codes
// and the lines in an app's log are Heroku's.
//
// Dynos do not outlive the server: a [Backend] removes on opening what a killed
// server left, and Run starts what is wanted anew.
//
// The package knows nothing of HTTP, of builds and of how releases come about.
// All methods may be called concurrently.
//
//	m := dyno.New(ctx, dyno.Config{Backend: backend, Store: store, Logs: logs})
//	go m.Run(ctx)               // until ctx is done; stops every dyno
//	m.Released("shop")          // after a release was recorded
//	route, err := m.Route(ctx, "shop")
//	defer route.Done()
//	conn, err := route.Dial(ctx)
package dyno
