// Package workbench is what an author of buildpacks does with detection beyond
// asking once: trees of cases with expectations ([Test]), two builders side by
// side ([Compare]), files that are there or not ([WhatIf]), the smallest app with
// the same verdict ([Shrink]), again at each change ([Watch]), and remarks on how
// a buildpack detects ([Lint]).
//
// Detection itself is [slipway/buildpacks/detector]. This package runs it many
// times, within bounds, and prints nothing: callers get values.
//
// An app is never changed. What is tried out on it is a view of its files where
// the buildpacks answer in this process, else a copy in a temporary directory.
//
//	b, err := detector.Open(ctx, detector.Source{})
//	…
//	defer b.Close()
//	err = workbench.Run(ctx, workbench.Config{Detector: b}, dirs, func(r workbench.Result) error {
//		if r.Err == nil {
//			fmt.Println(r.Dir, r.Report.Passed())
//		}
//		return nil
//	})
package workbench
