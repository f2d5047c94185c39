// Package logs keeps the log of each app, and sends it to the app's drains.
//
// A [Store] has one directory an app, with up to eight plain files of the lines
// as people see them: grep works on them. The oldest file goes when the log
// takes what it may. Lines wait in memory for some 10 ms and are then written
// by one goroutine for all apps; who appends does not wait for the disk. An app
// that logs nothing costs neither memory nor an open file.
//
// Readers read the files, each at its own pace, so that a slow one costs the
// others nothing: a reader that is overtaken by the removal of the oldest file
// is told how many lines it missed. What a crash of the server can take is the
// lines of the last milliseconds; a line that was cut off is removed when the
// log is next opened.
//
// The package does not read or change what lines say, except that it removes
// what could do something to a terminal. It keeps secrets no better than the
// app that prints them.
//
// [Drains] read the same files, so that they, too, need no memory for what their
// receivers do not take yet. Delivery is at least once after a failure that is
// noticed; over syslog, which has no answers, what a receiver had not read when
// it went away is gone.
//
// All methods may be called concurrently.
//
//	store, err := logs.Open(logs.Config{Dir: dir})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	store.Append("shop", logs.Line{Source: logs.SourceSlipway, Dyno: "api", Text: "Release v1 created"})
//	for line, err := range store.Tail(ctx, "shop", logs.Options{Num: 100, Follow: true}) {
//		…
//	}
package logs
