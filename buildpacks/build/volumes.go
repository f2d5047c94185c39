package build

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
)

// Instance is a short name of the server that works in dir, for what it makes
// outside of dir: volumes, containers, images of a shared Docker daemon.
func Instance(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:6])
}

// Labels that every container of a build carries.
const (
	LabelInstance = "slipway.instance"
	LabelBuild    = "slipway.build"
	LabelApp      = "slipway.app"
)

// VolumePrefix begins the names of volumes that live for one build of
// this instance. Those found when no build runs were left by a killed server.
func VolumePrefix(instance string) string { return "pack-slipway-" + instance + "-" }

// CacheVolume names the volume that keeps an app's build cache.
func CacheVolume(instance, app string) string {
	return "slipway-" + instance + "-" + app + ".cache"
}

// ownVolume puts the instance into the name of a volume that pack made up
// ("pack-layers-abc" or "pack-app-abc"), and leaves others alone.
func ownVolume(instance, name string) (string, bool) {
	for _, kind := range []string{"pack-layers-", "pack-app-"} {
		if strings.HasPrefix(name, kind) {
			return VolumePrefix(instance) + strings.TrimPrefix(name, "pack-"), true
		}
	}
	return name, false
}
