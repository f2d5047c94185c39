// Package python is Slipway's Python buildpack: it puts a CPython of the
// builder and the packages that an app asks for, by pip, Pipenv, Poetry or uv,
// into the app's image, and behaves like Heroku's, transcript included.
//
// Two layers make it up. "python" is the interpreter, at launch only: a build
// uses the builder's own copy, so a rebuild neither restores nor exports it.
// "dependencies" is a virtual environment; its interpreter is named by its
// place in the first layer, which a build fills with a link to the builder's
// copy, so that every path in it is the same at build and at launch. Where
// nothing has changed, neither layer is read at all, and no Python starts.
//
// pip is the builder's. Another package manager comes from the index, in a
// version that buildpack.toml pins, into a third layer, which the next build
// finds in its cache. What differs between managers is one file each: what of
// the app decides what is installed (locks.go), and the command (pip.go,
// pipenv.go, poetry.go, uv.go).
//
// What is made is the same for the same app and builder, byte by byte.
//
// Main is the whole interface; it is not for use by several goroutines.
package python
