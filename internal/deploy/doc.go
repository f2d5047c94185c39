// Package deploy joins the stages of a push: receive, detect, build, slug,
// release. It is the gitserver's Receiver, and it writes the lines that the
// person who pushes sees, in Heroku's form: "-----> " before a step, seven
// spaces before its details, " !     " before a warning or an error.
//
// It does not run apps.
package deploy
