// Package deploy joins the stages of a push: receive, detect, build, slug,
// release. It is the gitserver's Receiver, and it writes the lines that the
// person who pushes sees, in Heroku's form: "-----> " before a step, seven
// spaces before its details, " !     " before a warning or an error.
//
// It also makes the releases of changed config vars and of rollbacks, and runs
// the release phase before any release stands. What runs afterwards is another
// package's: [slipway/internal/dyno].
package deploy
