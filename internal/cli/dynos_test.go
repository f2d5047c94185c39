package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/apitest"
	"slipway/internal/cli"
	"slipway/internal/dyno"
	"slipway/internal/logs"
)

// dynoID is an ID as dynos have.
const dynoID = "01234567-89ab-4def-8123-456789abcdef"

func TestPsPrintsAsHeroku(t *testing.T) {
	srv := apitest.Start(t)
	const none = "Dyno hours used by this app this month: 0h 0m (no quota)\n\nNo dynos on ⬢ shop\n"
	check(t, srv, step{args: "ps -a shop", stdout: none}, step{args: "ps --json -a shop", stdout: "[]\n"})
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	add := func(name string, state dyno.State, command string, since time.Time) {
		kind, _, _ := strings.Cut(name, ".")
		srv.Dynos.Add(dyno.Dyno{ID: dynoID, App: "shop", Name: name, Type: kind, Command: command, State: state, Since: since, Release: 1})
	}
	add("run.1234", dyno.Up, "bash", ago(26*time.Hour))
	add("worker.1", dyno.Crashed, "work", ago(3*time.Hour+time.Minute))
	add("web.10", dyno.Starting, "serve --port $PORT", ago(20*time.Second))
	add("web.2", dyno.Idle, "serve --port $PORT", ago(7*time.Minute+30*time.Second))
	srv.Dynos.Hours = dyno.Quota{Limit: 550 * time.Hour, Used: 55 * time.Hour, App: 27*time.Hour + 31*time.Minute}
	web := "=== web (*): serve --port $PORT (2)\n\nweb.2: idle TIME (~ 7m ago)\nweb.10: starting TIME (~ 2*s ago)\n\n"
	check(t, srv,
		step{args: "ps -a shop", stdout: "Free dyno hours quota remaining this month: 495h 0m (90%)\nFree dyno usage for this app: 27h 31m (5%)\n" +
			"For more information on dyno sleeping, see: *\n\n" +
			"=== run: one-off processes (1)\n\nrun.1234 (*): up TIME: bash\n\n" + web +
			"=== worker (*): work (1)\n\nworker.1: crashed TIME (~ 3h ago)\n\n"},
		step{args: "ps web clock -a shop", stderr: " !     no clock dynos on ⬢ shop: *\n", code: 1},
		step{args: "ps web -a shop", stdout: "*\n*\n*\n\n" + web},
		step{args: "ps -a shed", stderr: " !     Couldn't find that app.*\n", code: 1},
	)
	got := run(t, srv, "ps", "--json", "-a", "shop")
	var all []map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || len(all) != 4 {
		t.Fatalf("ps --json = %v, %s", err, got.stdout)
	}
	for _, field := range []string{"id", "name", "type", "state", "command", "release", "size", "created_at", "updated_at"} {
		if all[0][field] == nil {
			t.Errorf("ps --json has no %s: %v", field, all[0])
		}
	}
}

func TestScaleRestartStopAndIdle(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Add(dyno.Dyno{ID: dynoID, App: "shop", Name: "web.1", Type: "web"})
	check(t, srv,
		step{args: "ps:scale -a shop", stdout: "web=1:* worker=0:*\n"},
		step{args: "ps:scale -a bare", stderr: " !     No process types on ⬢ bare. Name them in a Procfile, and push\n", code: 1},
		step{args: "ps:scale web=0 worker+2 -a shop", stdout: "Scaling dynos... done, now running web at 0:*, worker at 2:*\n"},
		step{args: "scale worker-1 -a shop", stdout: "Scaling dynos... done, now running worker at 1:*\n"},
		step{args: "ps:scale clock=1 -a shop", stdout: "Scaling dynos... !\n", stderr: " !     Couldn't find that process type.*\n", code: 1},
		step{args: "ps:scale web=101 -a shop", stdout: "Scaling dynos... !\n", stderr: " !     101 dynos of web: choose 0 to 100\n", code: 1},
		step{args: "ps:scale web -a shop", stderr: " !     \"web\" does not say how to scale: write web=2, worker+1 or worker-1\n", code: 2},
		step{args: "ps:scale web=1:Eco -a shop", stderr: " !     there are no dynos of size \"Eco\": *\n", code: 2},
		step{args: "ps:scale web=1:Standard -a shop", stdout: "Scaling dynos... done, now running web at 1:*\n"},
		step{args: "ps:scale web=99999999999 -a shop", stderr: " !     *\n", code: 2},

		step{args: "ps:restart -a shop", stdout: "Restarting all dynos on ⬢ shop... done\n"},
		step{args: "ps:restart web.1 -a shop", stdout: "Restarting dyno web.1 on ⬢ shop... done\n"},
		step{args: "restart -p web -a shop", stdout: "Restarting all web dynos on ⬢ shop... done\n"},
		step{args: "ps:stop -d web.1 -a shop", stdout: "Stopping dyno web.1 on ⬢ shop... done\n"},
		step{args: "ps:stop web -a shop", stdout: "Stopping all web dynos on ⬢ shop... done\n"},
		step{args: "ps:stop run.1 -a shop", stdout: "Stopping dyno run.1 on ⬢ shop... !\n", stderr: " !     *\n", code: 1},
		step{args: "ps:stop web -d web.1 -a shop", stderr: " !     \"web\" and a flag both say which dynos: give one\n", code: 2},
		step{args: "ps:stop -a shop", stderr: " !     which dynos? give --dyno-name web.1 or --process-type web\n", code: 2},

		step{args: "ps:idle -a shop", stdout: "default\n"},
		step{args: "ps:idle 30m -a shop", stdout: "Setting the idle timeout of ⬢ shop to 30m... done\n"},
		step{args: "ps:idle -a shop", stdout: "30m\n"},
		step{args: "ps:idle soon -a shop", stdout: "*... !\n", stderr: " !     \"soon\" is no idle time-out: *\n", code: 1},
	)
	if got := fmt.Sprintf("%q", srv.Dynos.Done()); got != `["restart " "restart web.1" "restart web" "stop web.1" "stop web"]` {
		t.Errorf("done = %s", got)
	}
}

func TestRunIsTheCommand(t *testing.T) {
	srv := apitest.Start(t)
	srv.Dynos.Running = func(_ context.Context, term dyno.Terminal) (dyno.Exit, error) {
		input, err := io.ReadAll(term.Stdin)
		fmt.Fprintf(term.Stdout, "out %s", input)
		fmt.Fprint(term.Stderr, "err\n")
		return dyno.Exit{Code: 42}, err
	}
	got := runWith(t.Context(), t, srv, cli.Config{Stdin: strings.NewReader("in")}, "run", "-a", "shop", "-x", "-e", "A=1;B=x=y", "--env", "C=3", "--", "./a script", "--flag", "-a", "it's $HOME")
	want := result{42, "out in", `Running './a script' --flag -a 'it'\''s $HOME' on ⬢ shop... up, run.1000` + "\nerr\n"}
	if got != want {
		t.Errorf("run = %+v, want %+v", got, want)
	}
	asked := srv.Dynos.OneOffs()[0]
	if asked.Command != `'./a script' --flag -a 'it'\''s $HOME'` || asked.TTY || !asked.Attach || fmt.Sprint(asked.Env) != "map[A:1 B:x=y C:3]" {
		t.Errorf("run asks for %+v", asked)
	}
	run(t, srv, "run", "-a", "shop", "env | sort")
	if asked := srv.Dynos.OneOffs()[1]; asked.Command != "env | sort" {
		t.Errorf("run of one argument asks for %q, want a shell's command line", asked.Command)
	}
}

func TestRunDetachedAndRefused(t *testing.T) {
	srv := apitest.Start(t)
	check(t, srv,
		step{args: "run -d -a shop ./report --all", stdout: "Running ./report --all on ⬢ shop... done, run.1000\n", stderr: " ▸    To see its output, run: slipway logs --dyno run.1000 -a shop\n"},
		step{args: "run -a shop", stderr: " !     *usage: *\n", code: 2},
		step{args: "run -a shop -e A ls", stderr: " !     write --env NAME=VALUE*\n", code: 2},
		step{args: "run -a shop --json ls", stderr: " !     --json goes with --detached only*\n", code: 2},
		step{args: "run -a shed ls", stderr: "Running ls on ⬢ shed... !\n !     Couldn't find that app.*\n", code: 1},
	)
	if asked := srv.Dynos.OneOffs()[0]; asked.Attach || asked.TTY {
		t.Errorf("run --detached asks for %+v", asked)
	}
	got := run(t, srv, "run", "--detached", "--json", "-a", "shop", "ls")
	var one map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &one); err != nil || one["name"] != "run.1001" || got.stderr != "" {
		t.Errorf("run --detached --json = %+v", got)
	}
	srv.Dynos.Refuse = dyno.ErrQuota
	check(t, srv, step{args: "run -a shop ls", stderr: "Running ls on ⬢ shop... !\n !     the dyno hours of this month are spent\n", code: 1})
	srv.Dynos.Refuse = nil
	srv.Dynos.Running = func(context.Context, dyno.Terminal) (dyno.Exit, error) { return dyno.Exit{}, errors.New("no disk") }
	check(t, srv, step{args: "run -a shop ls", stderr: "Running ls on ⬢ shop... up, run.1002\n !     internal error, request *\n", code: 1})
}

func TestLogsVerb(t *testing.T) {
	srv := apitest.Start(t)
	at := time.Date(2026, 11, 25, 12, 0, 0, 123456000, time.UTC)
	srv.Logs.Append(
		logs.Line{At: at, Source: "app", Dyno: "web.1", Text: "hello: world"},
		logs.Line{At: at, Source: "slipway", Dyno: "router", Text: `at=info path="/"`},
	)
	const stamp = "2026-11-25T12:00:00.123456+00:00"
	app, router := stamp+" app[web.1]: hello: world\n", stamp+" slipway[router]: at=info path=\"/\"\n"
	check(t, srv,
		step{args: "logs -a shop", stdout: app + router},
		step{args: "logs -n 1 -a shop", stdout: router},
		step{args: "logs -s app -a shop", stdout: app},
		step{args: "logs --dyno web -a shop", stdout: app},
		step{args: "logs --ps router -a shop", stdout: router},
		step{args: "logs -s app --json -a shop", stdout: `{"timestamp":"` + stamp + `","source":"app","dyno":"web.1","message":"hello: world"}` + "\n"},
		step{args: "logs -n -1 -a shop", stderr: " !     -1 is no number of lines: write 0 or more\n", code: 2},
		step{args: "logs -a shed", stderr: " !     Couldn't find that app.*\n", code: 1},
	)
}
