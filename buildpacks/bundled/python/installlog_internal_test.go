package python

import (
	"strings"
	"testing"
)

// The lines are those of pip 26.1, Pipenv 2024.0 and 2026.8, Poetry 2.1, and uv's
// from memory: no real uv could be had to print them.
func TestInstallLogKnowsWhenTheIndexIsOutOfReach(t *testing.T) {
	const retry = `, connect=None, read=None, redirect=None, status=None)) after connection broken by `
	for name, c := range map[string]struct {
		line string
		want bool
	}{
		"refused":            {`WARNING: Retrying (Retry(total=0` + retry + `'NewConnectionError("HTTPConnection(host='127.0.0.1', port=1): Failed to establish a new connection: [Errno 111] Connection refused")': /simple/flask/`, true},
		"unreachable":        {`WARNING: Retrying (Retry(total=0` + retry + `'NewConnectionError("HTTPSConnection(host='pypi.org', port=443): Failed to establish a new connection: [Errno 101] Network is unreachable")': /simple/flask/`, true},
		"no such name":       {`WARNING: Retrying (Retry(total=0` + retry + `'NameResolutionError("HTTPSConnection(host='pypi.org', port=443): Failed to resolve 'pypi.org' ([Errno -2] Name or service not known)")': /simple/flask/`, true},
		"no answer":          {`WARNING: Retrying (Retry(total=0` + retry + `'ConnectTimeoutError(<HTTPSConnection(host='pypi.org', port=443) at 0x7f>, 'Connection to pypi.org timed out. (connect timeout=15)')': /simple/flask/`, true},
		"an indented pip":    {`      WARNING: Retrying (Retry(total=0` + retry + `'NewConnectionError("…: [Errno 111] Connection refused")': /simple/setuptools/`, true},
		"a file":             {`ERROR: Could not install packages due to an OSError: HTTPSConnectionPool(host='files.pythonhosted.org', port=443): Max retries exceeded with url: /packages/f.whl (Caused by NewConnectionError("HTTPSConnection(host='files.pythonhosted.org', port=443): Failed to establish a new connection: [Errno 111] Connection refused"))`, true},
		"by Pipenv":          {`[pipenv.exceptions.InstallError]: WARNING: Retrying (Retry(total=0` + retry + `'NewConnectionError("…: [Errno 111] Connection refused")': /simple/blinker/`, true},
		"Poetry":             {`    | All attempts to connect to pypi.org failed.`, true},
		"uv":                 {`  Caused by: client error (Connect)`, true},
		"uv, with a tree":    {`  ├─▶ client error (Connect)`, true},
		"uv's DNS":           {`  ╰─▶ dns error: failed to lookup address information: Name or service not known`, true},
		"uv, a bad answer":   {`  Caused by: HTTP status client error (404 Not Found) for url (https://pypi.org/simple/x/)`, false},
		"a try of several":   {`WARNING: Retrying (Retry(total=4` + retry + `'NewConnectionError("HTTPConnection(host='127.0.0.1', port=1): Failed to establish a new connection: [Errno 111] Connection refused")': /simple/flask/`, false},
		"another trouble":    {`ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device`, false},
		"setup code":         {`      ConnectionRefusedError: [Errno 111] Connection refused`, false},
		"setup code's DNS":   {`      socket.gaierror: [Errno -3] Temporary failure in name resolution`, false},
		"setup code's route": {`      OSError: [Errno 101] Network is unreachable`, false},
		"setup code's fetch": {`      urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: / (Caused by NewConnectionError('Connection refused'))`, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log installLog
			log.see([]byte(c.line))
			if got := log.noIndex; got != c.want {
				t.Errorf("the index counts as out of reach: %v, want %v", got, c.want)
			}
		})
	}
}

func TestAdviceNamesNoCommandThatIsNotThere(t *testing.T) {
	var texts []string
	for _, of := range indexOf {
		texts = append(texts, noIndexText(of[0], of[1]))
	}
	for _, h := range buildHints {
		texts = append(texts, h.text)
	}
	for _, text := range texts {
		if strings.Contains(text, "config") {
			t.Errorf("the advice speaks of config vars:\n%s", text)
		}
	}
}

func TestInstallLogKnowsAnOutdatedLock(t *testing.T) {
	for _, line := range []string{
		"Your Pipfile.lock (4ca319) is out of date.  Expected: (e31f55).",
		"Your Pipfile.lock (ebda0d67c1802de7) is out of date. Expected: (43e5bd138370).",
		"pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix the lock file.",
		"Error: The lock file is not up to date: poetry.lock is not up to date with pyproject.toml",
		"error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided. To update the lockfile, run `uv lock`.",
	} {
		var log installLog
		log.see([]byte(line))
		if !log.outdated {
			t.Errorf("the lock does not count as outdated after %q", line)
		}
	}
}
