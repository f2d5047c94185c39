// Package project reads what an app says about its own build: project.toml,
// .slugignore, and the names by which buildpacks are chosen.
//
// [Open] reads a tree of files once and returns the tree as a build is to see
// it, without what the app leaves out. Detection and the build get the same
// tree, so that a file that is left out decides nothing. Patterns are those of
// .gitignore: in .slugignore without negation, as Heroku has it, and in
// project.toml's include and exclude as the project descriptor specification
// says.
//
// It fetches nothing and builds nothing. All of it may be used by many
// goroutines at once.
//
//	p, err := project.Open(ctx, os.DirFS("."), project.Limits{})
//	plan, err := buildpacks.Detect(ctx, p.Tree, buildpacks.Options{})
package project
