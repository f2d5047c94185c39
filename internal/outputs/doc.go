// Package outputs keeps what builds and release commands print, so that it can
// be read while it comes and afterwards.
//
// An output is a file, of which a limited part is kept, and an app has a limited
// number of them: the oldest go. Whoever writes is never held up or failed by a
// disk that is full or broken: the output then ends early, and the server's log
// says so.
//
//	out := store.Create("shop", "b7e2…")
//	defer out.Close()
//	fmt.Fprintln(out, "-----> Python app detected")
//
// A [Store] may be used by many at once, and so may an [Output].
package outputs
