package cli_test

import (
	"strings"
	"testing"

	"slipway/internal/api/apitest"
)

func TestBuildpackVerbs(t *testing.T) {
	srv := apitest.Start(t)
	const push = "Run git push slipway main to create a new release using "
	check(t, srv,
		step{args: "buildpacks -a shop", stdout: "⬢ shop has no Buildpacks.\n"},
		step{args: "buildpacks:remove slipway/python -a shop", stderr: " !     no buildpacks were found: the next release will detect buildpacks normally\n", code: 1},
		step{args: "buildpacks:set slipway/python -a shop", stdout: "Buildpack set. Next release on ⬢ shop will use slipway/python.\n" + push + "this buildpack.\n"},
		step{args: "buildpacks -a shop", stdout: "=== ⬢ shop Buildpack\n\nslipway/python\n"},
		step{
			args:   "buildpacks:add urn:buildpack:heroku/nodejs -i 1 -a shop",
			stdout: "Buildpack added. Next release on ⬢ shop will use:\n  1. heroku/nodejs\n  2. slipway/python\n" + push + "these buildpacks.\n",
		},
		step{args: "buildpacks:add ./bp -a shop", stdout: "Buildpack added. Next release on ⬢ shop will use:\n  1. heroku/nodejs\n  2. slipway/python\n  3. ./bp\n" + push + "these buildpacks.\n"},
		step{args: "buildpacks:add ./bp -a shop", stderr: " !     the buildpack ./bp is already set on your app: *\n", code: 1},
		step{args: "buildpacks:set ./bp -a shop", stderr: " !     the buildpack ./bp is already set on your app: *\n", code: 1},
		step{args: "buildpacks:set ./bp2 -i 3 -a shop", stdout: "Buildpack set. Next release on ⬢ shop will use:\n  1. heroku/nodejs\n  2. slipway/python\n  3. ./bp2\n" + push + "these buildpacks.\n"},
		step{args: "buildpacks -a shop", stdout: "=== ⬢ shop Buildpacks\n\n1. heroku/nodejs\n2. slipway/python\n3. ./bp2\n"},
		step{args: "buildpacks:remove -i 2 -a shop", stdout: "Buildpack removed. Next release on ⬢ shop will use:\n  1. heroku/nodejs\n  2. ./bp2\n" + push + "these buildpacks.\n"},
		step{args: "buildpacks:remove heroku/nodejs -a shop", stdout: "Buildpack removed. Next release on ⬢ shop will use ./bp2.\n" + push + "this buildpack.\n"},
		step{args: "buildpacks:remove ./bp -a shop", stderr: " !     buildpack not found, nothing was removed: *\n", code: 1},
		step{args: "buildpacks:remove ./bp2 -a shop", stdout: "Buildpack removed. Next release on ⬢ shop will detect buildpacks normally.\n"},
		step{args: "buildpacks:clear -a shop", stdout: "Buildpacks cleared. Next release on ⬢ shop will detect buildpacks normally.\n"},
		step{args: "buildpacks:set acme/frob -a shop", stderr: " !     The builder has no buildpack \"acme/frob\". It has: *\n", code: 1},
		step{args: "buildpacks:set https://other.test/bp.tgz -a shop", stderr: " !     *\n", code: 1},
		step{args: "buildpacks:add -i 0 x/y -a shop", stderr: " !     --index 0: places are counted from 1\n", code: 2},
		step{args: "buildpacks:remove -a shop", stderr: " !     which buildpack? *\n", code: 2},
		step{args: "buildpacks:set -a shop", stderr: " !     *usage: *\n", code: 2},
	)
	if got := run(t, srv, "buildpacks:set", "slipway/go", "--json", "-a", "shop"); got.code != 0 || !strings.Contains(got.stdout, `"name": "slipway/go"`) {
		t.Errorf("buildpacks:set --json = %+v", got)
	}
}
