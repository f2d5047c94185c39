package bundled

// What the images are called that buildpacks are told of (CNB_TARGET_DISTRO_*).
const (
	DistroName    = distroName
	DistroVersion = distroVer
)

// Pythons are the full versions that the builder of this program has, newest
// first.
func Pythons() []string {
	versions := make([]string, len(pythons))
	for i, p := range pythons {
		versions[i] = p.Version
	}
	return versions
}
