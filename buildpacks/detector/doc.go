// Package detector runs the detection of Cloud Native Buildpacks over a tree of
// files, as the lifecycle's detector does (Buildpack Interface Specification,
// "Phase #1: Detection"), and keeps what it throws away: which group was tried,
// what each buildpack answered, printed and planned, why a group lost, and what
// would also have matched.
//
// It needs no Docker and no server. The bundled builder's buildpacks answer in
// this process; others run their bin/detect, in a sandbox where the machine
// allows one.
//
// It builds nothing. A [Builder] may be used by many goroutines at once.
package detector
