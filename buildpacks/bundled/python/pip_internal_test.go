package python

import (
	"strings"
	"testing"
)

// The lines are pip 26.1's.
func TestPipLogKnowsWhenTheIndexIsOutOfReach(t *testing.T) {
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
		"a try of several":   {`WARNING: Retrying (Retry(total=4` + retry + `'NewConnectionError("HTTPConnection(host='127.0.0.1', port=1): Failed to establish a new connection: [Errno 111] Connection refused")': /simple/flask/`, false},
		"another trouble":    {`ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device`, false},
		"setup code":         {`      ConnectionRefusedError: [Errno 111] Connection refused`, false},
		"setup code's DNS":   {`      socket.gaierror: [Errno -3] Temporary failure in name resolution`, false},
		"setup code's route": {`      OSError: [Errno 101] Network is unreachable`, false},
		"setup code's fetch": {`      urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: / (Caused by NewConnectionError('Connection refused'))`, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log pipLog
			log.see([]byte(c.line))
			if got := log.hint == noIndex; got != c.want {
				t.Errorf("the index counts as out of reach: %v, want %v", got, c.want)
			}
		})
	}
}

func TestAdviceNamesNoCommandThatIsNotThere(t *testing.T) {
	texts := []string{noIndex}
	for _, h := range pipHints {
		texts = append(texts, h.text)
	}
	for _, text := range texts {
		if strings.Contains(text, "config") {
			t.Errorf("the advice speaks of config vars:\n%s", text)
		}
	}
}
