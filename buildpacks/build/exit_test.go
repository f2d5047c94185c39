package build

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestFailure(t *testing.T) {
	for code, want := range map[int]struct {
		user bool
		text string
	}{
		11: {false, "interface"}, 12: {false, "interface"}, 20: {true, "recognised"}, 21: {true, "recognised"},
		22: {false, "Detection"}, 30: {false, "previous image"}, 40: {false, "cache"}, 51: {true, "buildpack failed"},
		50: {false, "could not be run"}, 62: {false, "could not be saved"}, 91: {false, "extension"}, 137: {false, "killed"},
		1: {false, "unexpectedly"},
	} {
		err := fmt.Errorf("executing lifecycle: %w", &exitError{code: code, program: "creator"})
		got := failure(err, phaseBuild, []string{"ERROR: failed to x"}, 0)
		if got.Code != code || got.UserFault != want.user || !strings.Contains(got.Text, want.text) || got.Phase != phaseBuild {
			t.Errorf("failure(%d) = %+v, want user %v, %q", code, got, want.user, want.text)
		}
		if !strings.Contains(got.Error(), "failed to x") {
			t.Errorf("failure(%d) says %q, want the lifecycle's words in it", code, got)
		}
	}
	got := failure(&exitError{code: 51, outOfMemory: true}, phaseBuild, nil, 512<<20)
	if !got.OutOfMemory || !got.UserFault || !strings.Contains(got.Text, "512 MB") {
		t.Errorf("failure(out of memory) = %+v", got)
	}
	got = failure(errors.New("no space left on device"), "", nil, 0)
	if got.UserFault || got.Code != 0 || !strings.Contains(got.Error(), "no space") {
		t.Errorf("failure(engine) = %+v, want the server's fault with its cause", got)
	}
}

func TestNames(t *testing.T) {
	a, b := Instance("/srv/a"), Instance("/srv/b")
	if a == b || a != Instance("/srv/../srv/a") || len(a) != 12 {
		t.Errorf("Instance() = %q, %q", a, b)
	}
	for in, want := range map[string]string{
		"pack-layers-abc": "pack-slipway-" + a + "-layers-abc",
		"pack-app-abc":    "pack-slipway-" + a + "-app-abc",
		"slipway-x.cache": "slipway-x.cache",
		"/host/dir":       "/host/dir",
	} {
		if got, own := ownVolume(a, in); got != want || own != strings.HasPrefix(in, "pack-") {
			t.Errorf("ownVolume(%q) = %q, %v, want %q", in, got, own, want)
		}
	}
	for _, good := range []string{"A", "_x", "PIP_INDEX_URL", "a1"} {
		if !validEnv(good) {
			t.Errorf("validEnv(%q) = false", good)
		}
	}
	for _, bad := range []string{"", "1A", "A-B", "A/B", "..", "A=B", "A\x00", "É", strings.Repeat("A", 256)} {
		if validEnv(bad) {
			t.Errorf("validEnv(%q) = true", bad)
		}
	}
}
