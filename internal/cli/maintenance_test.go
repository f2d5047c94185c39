package cli_test

import (
	"strings"
	"testing"

	"slipway/internal/api/apitest"
)

func TestMaintenanceVerbs(t *testing.T) {
	srv := apitest.Start(t)
	check(t, srv,
		step{args: "maintenance -a shop", stdout: "off\n"},
		step{args: "maintenance:on -a shop", stdout: "Enabling maintenance mode for ⬢ shop... done\n"},
		step{args: "maintenance:on -a shop", stdout: "Enabling maintenance mode for ⬢ shop... done\n"},
		step{args: "maintenance -a shop", stdout: "on\n"},
		step{args: "maintenance:off -a shop", stdout: "Disabling maintenance mode for ⬢ shop... done\n"},
		step{args: "maintenance -a shop", stdout: "off\n"},
		step{args: "maintenance:on -a shed", stdout: "Enabling maintenance mode for ⬢ shed... !\n", stderr: " !     *\n", code: 1},
		step{args: "maintenance:on shop", stderr: " !     *usage: *\n", code: 2},
	)
	if got := run(t, srv, "maintenance:on", "--json", "-a", "shop"); got.code != 0 || !strings.Contains(got.stdout, "\"maintenance\": true") {
		t.Errorf("maintenance:on --json = %+v", got)
	}
}
