// Package enginetest is the suite that every build engine passes.
//
// It builds real apps with the real lifecycle, on a builder that it makes
// itself: a static busybox and one buildpack that runs the app's own build.sh,
// so that each case is a few lines of shell. Nothing is fetched but the
// lifecycle's Go module.
//
//	func TestEngine(t *testing.T) {
//		enginetest.Run(t, func(t *testing.T, env enginetest.Env) build.Engine { … })
//	}
package enginetest
