package repo

import "os"

// What upkeep changes in a repository it changes through these, so that tests
// can have each step fail, or be the last one before a crash.

func (r *Repo) step(op string) error {
	if r.o.step == nil {
		return nil
	}
	return r.o.step(op)
}

func (r *Repo) rename(from, to string) error {
	if err := r.step("rename " + to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// remove removes a file, which need not exist.
func (r *Repo) remove(path string) error {
	if err := r.step("remove " + path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !isNotExist(err) {
		return err
	}
	return nil
}

func (r *Repo) removeAll(path string) error {
	if err := r.step("remove " + path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// sync makes a file or the names in a directory durable.
func (r *Repo) sync(path string, f func(string) error) error {
	if err := r.step("sync " + path); err != nil {
		return err
	}
	if r.o.NoSync {
		return nil
	}
	return f(path)
}
