// Package python is Slipway's Python buildpack: it puts a CPython of the
// builder and the packages of requirements.txt into an app's image, and
// behaves like Heroku's, transcript included.
//
// Two layers make it up. "python" is the interpreter, at launch only: a build
// uses the builder's own copy, so a rebuild neither restores nor exports it.
// "dependencies" is a virtual environment; its interpreter is named by its
// place in the first layer, which a build fills with a link to the builder's
// copy, so that every path in it is the same at build and at launch. Where
// nothing has changed, neither layer is read at all, and no Python starts.
//
// What is made is the same for the same app and builder, byte by byte.
//
// It does not install Pipenv, Poetry or uv projects yet, and says so. Main is
// the whole interface; it is not for use by several goroutines.
package python
