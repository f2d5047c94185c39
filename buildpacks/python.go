package buildpacks

import "strings"

// pythonManagers are the files that tell a Python package manager, in the
// order in which Heroku lists them.
var pythonManagers = []struct{ file, manager, shown string }{
	{pipfileLock, "pipenv", "Pipfile.lock (Pipenv)"},
	{"requirements.txt", "pip", "requirements.txt (pip)"},
	{"poetry.lock", "poetry", "poetry.lock (Poetry)"},
	{"uv.lock", "uv", "uv.lock (uv)"},
}

// python decides as Heroku's bin/compile does, in its order: the first
// complaint is the one shown.
func (d *detector) python() error {
	if d.tree.exists(".heroku/python") {
		return d.existingPython()
	}
	manager, err := d.pythonManager()
	if err != nil {
		return err
	}
	d.plan.PackageManager = manager.manager
	d.because("package_manager", manager.manager, manager.file, 0, foundIn(manager.file))
	for _, dir := range []string{".venv", "venv"} {
		if d.tree.isFile(dir + "/pyvenv.cfg") {
			return d.existingVenv(dir)
		}
	}
	if err := d.pythonRequested(); err != nil {
		return err
	}
	if err := d.pythonResolve(); err != nil {
		return err
	}
	return d.pythonAdvice()
}

func (d *detector) pythonManager() (found struct{ file, manager, shown string }, err error) {
	var shown []string
	for _, m := range pythonManagers {
		if !d.tree.isFile(m.file) {
			if m.file == pipfileLock && d.tree.isFile("Pipfile") {
				return found, pipfileWithoutLock()
			}
			continue
		}
		if len(shown) == 0 {
			found = m
		}
		shown = append(shown, m.shown)
	}
	switch {
	case len(shown) > 1:
		return found, manyManagers(shown)
	case len(shown) == 1:
		return found, nil
	case d.tree.isFile("setup.py"):
		return found, setupOnly()
	default:
		return found, d.noManager()
	}
}

// pythonRequested finds the version that the app asks for. The first of
// runtime.txt, .python-version, Pipfile.lock, the last build and Heroku's
// default that says one wins.
func (d *detector) pythonRequested() error {
	if d.tree.isFile(runtimeTxt) {
		return d.runtimeTxt()
	}
	for _, name := range misspelt {
		if d.tree.isFile(name) {
			return misspeltVersionFile(name)
		}
	}
	if d.tree.isFile(versionFile) {
		return d.versionFile()
	}
	if d.plan.PackageManager == "pipenv" {
		version, line, err := d.pipfileVersion()
		if err != nil {
			return err
		}
		if version != "" {
			d.requested(version, pipfileLock, line)
			return nil
		}
	}
	if v, ok := parseFull(d.options.CachedPython); ok {
		d.plan.Version = Version{Requested: v.major(), Origin: "cached"}
		d.because("version", v.major(), "", 0, "no version is asked for, so the major version of the last build is kept")
		return nil
	}
	v := d.defaultPython()
	d.plan.Version = Version{Requested: v, Origin: "default"}
	d.because("version", v, "", 0, "no version is asked for, so the default is used")
	return nil
}

func (d *detector) requested(version, file string, line int) {
	d.plan.Version = Version{Requested: version, Origin: file}
	d.because("version", version, file, line, "asked for by "+at(file, line))
}

func (d *detector) runtimeTxt() error {
	data, err := d.tree.content(runtimeTxt, maxFile)
	if err != nil {
		return err
	}
	found := trimmedLines(data)
	if len(found) == 1 {
		version, ok := strings.CutPrefix(found[0].text, "python-")
		if _, fine := parseVersion(version); ok && fine {
			d.requested(version, runtimeTxt, found[0].n)
			return nil
		}
	}
	return d.badRuntimeTxt(found, data)
}

func (d *detector) versionFile() error {
	data, err := d.tree.content(versionFile, maxFile)
	if err != nil {
		return err
	}
	found := trimmedLines(data)
	for _, line := range found {
		if _, ok := parseVersion(line.text); ok {
			continue
		}
		if name, readable := encoding(data); !readable {
			return badVersionEncoding(name)
		}
		return d.badVersionFile(line)
	}
	switch len(found) {
	case 0:
		return d.emptyVersionFile()
	case 1:
		d.requested(found[0].text, versionFile, found[0].n)
		return nil
	default:
		return d.manyVersions(found)
	}
}
