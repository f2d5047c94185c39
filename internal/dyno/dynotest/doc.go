// Package dynotest is the suite that every backend of dynos passes: that what
// they run is told whole, ends as it should, keeps its limits and reaches
// nothing that it must not, and that nothing is left of it.
//
//	func TestBackend(t *testing.T) {
//		dynotest.Run(t, dynotest.Harness{Open: open, Left: left})
//	}
//
// It needs root and Debian's busybox-static.
package dynotest
