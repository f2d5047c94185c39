// Package statetest is the suite that every store of the control plane's state
// passes, and what other tests need to open one.
//
//	func TestStore(t *testing.T) {
//		statetest.Run(t, func(t *testing.T) statetest.Database { … })
//	}
package statetest
