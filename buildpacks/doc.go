// Package buildpacks says what an app is: its language, its package manager,
// the version that it asks for and where, and the process types of its
// Procfile, with a reason for each.
//
// [Detect] reads a tree of files through [io/fs], never a checkout, and looks
// only at the root listing and at the few small files that decide. It has one
// answer, which the push, the buildpacks' bin/detect and `slipway detect`
// share. It builds nothing, fetches nothing and runs nothing of the app's;
// what an app says in requirements.txt is the Python buildpack's business.
//
// The Python rules, texts and error ids are those of Heroku's classic
// buildpack; Node.js, Go and the Procfile follow Heroku's Cloud Native
// Buildpacks. This package stays light: it is linked into the buildpacks'
// own binaries.
//
// Detect keeps no state and may be called by many goroutines at once.
//
//	plan, err := buildpacks.Detect(ctx, os.DirFS("."), buildpacks.Options{})
//	var bad *buildpacks.DetectError
//	if errors.As(err, &bad) {
//		fmt.Print(bad.Text())
//	}
package buildpacks
