// Package cnbtest is what the tests of our buildpacks have in common: a
// [Platform] that runs a buildpack as the lifecycle does. It is used by tests
// only.
//
// The test binary is the buildpack too, so that a test needs no other program:
//
//	func TestMain(m *testing.M) {
//		os.Exit(cnbtest.Main(context.Background(), m, procfile.Main))
//	}
package cnbtest
