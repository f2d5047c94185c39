package embedded

// Instance is the name of a directory's devices and control groups.
func Instance(dir string) string { return instance(dir) }
