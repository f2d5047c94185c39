package cnb

// Stack names what programs are made for: what fits one distribution need not
// fit the next.
func Stack(id string, env Environment) string {
	if name := env["CNB_TARGET_DISTRO_NAME"]; name != "" {
		return name + "-" + env["CNB_TARGET_DISTRO_VERSION"]
	}
	if id == "" {
		return "unknown"
	}
	return id
}
