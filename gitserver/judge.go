package gitserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/zap"

	"slipway/gitserver/repo"
)

const (
	reasonAtomic  = "atomic push failure"
	reasonMissing = "missing necessary objects"
	reasonShallow = "shallow update not allowed"
	reasonStale   = "the ref moved meanwhile; fetch first"
	branchPrefix  = "refs/heads/"
)

// standing are the indexes of the commands that nothing speaks against yet.
func (v *receiving) standing() []int {
	var is []int
	for i, d := range v.verdicts {
		if d.reason == "" {
			is = append(is, i)
		}
	}
	return is
}

func (v *receiving) moved() int { return len(v.standing()) }

// reject gives a command its verdict; the first one counts.
func (v *receiving) reject(i int, reason string) {
	if d := &v.verdicts[i]; d.reason == "" && !d.moved {
		d.reason = reason
	}
}

func (v *receiving) rejectAll(reason string) {
	for i := range v.verdicts {
		v.reject(i, reason)
	}
}

// allOrNone rejects everything if the push is atomic and anything was rejected.
func (v *receiving) allOrNone() {
	if v.req.caps.atomic && len(v.standing()) < len(v.verdicts) {
		v.rejectAll(reasonAtomic)
	}
}

// judgeCommands looks at the commands alone.
func (v *receiving) judgeCommands() {
	seen := make(map[string]int, len(v.req.commands))
	for i, cmd := range v.req.commands {
		v.verdicts = append(v.verdicts, verdict{cmd: cmd})
		// As git, whose clients overlook such refs: refs/x is no name for a new one.
		oneLevel := strings.Count(cmd.Ref, "/") < 2
		if err := repo.CheckRefName(cmd.Ref); err != nil || oneLevel && !cmd.IsDelete() {
			v.reject(i, "invalid ref name")
		}
		if cmd.Old.IsZero() && cmd.New.IsZero() {
			v.reject(i, "neither an old nor a new object")
		}
		if hidden(v.s.cfg.HiddenRefs, cmd.Ref) {
			v.reject(i, hiddenReason(cmd))
		}
		if first, twice := seen[cmd.Ref]; twice {
			v.reject(i, "multiple updates for one ref")
			v.reject(first, "multiple updates for one ref")
		}
		seen[cmd.Ref] = i
	}
}

// hiddenReason is what git answers, too.
func hiddenReason(cmd Command) string {
	if cmd.IsDelete() {
		return "deny deleting a hidden ref"
	}
	return "deny updating a hidden ref"
}

// judgeObjects checks that what the refs are to point at is there, complete and
// of the right type.
func (v *receiving) judgeObjects(ctx context.Context, q *repo.Quarantine) {
	defer v.allOrNone()
	var tips []plumbing.Hash
	for _, i := range v.standing() {
		cmd := v.verdicts[i].cmd
		if cmd.IsDelete() {
			continue
		}
		kind, _, err := q.Stat(cmd.New)
		switch {
		case errors.Is(err, repo.ErrNotFound):
			v.reject(i, reasonMissing)
		case err != nil:
			v.reject(i, v.s.words(ctx, v.c, err))
		case strings.HasPrefix(cmd.Ref, branchPrefix) && kind != plumbing.CommitObject:
			v.reject(i, fmt.Sprintf("a branch cannot point to a %s", kind))
		default:
			tips = append(tips, cmd.New)
		}
	}
	if len(tips) == 0 {
		return
	}
	if err := q.CheckConnected(ctx, tips); err != nil {
		v.disconnected(ctx, err)
	}
}

// disconnected rejects the commands that bring objects whose history is not
// complete.
func (v *receiving) disconnected(ctx context.Context, err error) {
	reason := reasonMissing
	switch {
	case !errors.Is(err, repo.ErrMissing):
		reason = v.s.words(ctx, v.c, err)
		v.out.say("Push rejected: " + reason)
	case len(v.req.shallow) > 0:
		reason = reasonShallow
		v.out.say("Push rejected: your clone is shallow, and the server lacks the history behind it.\n" +
			"Run `git fetch --unshallow`, then push again.")
	default:
		v.out.say("Push rejected: " + err.Error())
	}
	for _, i := range v.standing() {
		if !v.verdicts[i].cmd.IsDelete() {
			v.reject(i, reason)
		}
	}
}

// judgeRefs compares the commands with the refs as they are. It runs when it is
// the push's turn, so that a push that cannot stand is not built; the refs are
// compared again when they are locked.
func (v *receiving) judgeRefs() error {
	defer v.allOrNone()
	refs, err := v.repo.Refs()
	if err != nil {
		return fmt.Errorf("read refs: %w", err)
	}
	head, err := v.repo.Head()
	if err != nil {
		return fmt.Errorf("read HEAD: %w", err)
	}
	bare, err := v.repo.IsBare()
	if err != nil {
		return err
	}
	current := make(map[string]plumbing.Hash, len(refs))
	for _, r := range refs {
		current[r.Name] = r.Hash
	}
	for _, i := range v.standing() {
		cmd := v.verdicts[i].cmd
		switch {
		case cmd.IsDelete() && cmd.Ref == head:
			v.reject(i, "deletion of the current branch prohibited")
			v.out.say(fmt.Sprintf("%s is the branch that HEAD of %s points to; it cannot be deleted.", cmd.Ref, v.c.repo))
		case cmd.Ref == head && !bare:
			v.reject(i, "branch is currently checked out")
			v.out.say(fmt.Sprintf("%s is checked out in the work tree of %s; push to another branch, and merge it there.", cmd.Ref, v.c.repo))
		case current[cmd.Ref] != cmd.Old:
			v.reject(i, reasonStale)
		}
	}
	v.judgeNames(current)
	return nil
}

// judgeNames finds refs that would be both a file and a directory. A ref that
// the push deletes is not in the way, unless all have to change at once.
func (v *receiving) judgeNames(after map[string]plumbing.Hash) {
	created := false
	for _, i := range v.standing() {
		cmd := v.verdicts[i].cmd
		if cmd.IsDelete() {
			if !v.req.caps.atomic {
				delete(after, cmd.Ref)
			}
			continue
		}
		created = created || cmd.IsCreate()
		after[cmd.Ref] = cmd.New
	}
	if !created {
		return
	}
	parents := make(map[string]bool)
	for name := range after {
		for at := strings.LastIndexByte(name, '/'); at > 0; at = strings.LastIndexByte(name[:at], '/') {
			parents[name[:at]] = true
		}
	}
	for _, i := range v.standing() {
		cmd := v.verdicts[i].cmd
		if cmd.IsCreate() && (parents[cmd.Ref] || hasParent(after, cmd.Ref)) {
			v.reject(i, "the name conflicts with another ref")
		}
	}
}

func hasParent(refs map[string]plumbing.Hash, name string) bool {
	for at := strings.LastIndexByte(name, '/'); at > 0; at = strings.LastIndexByte(name[:at], '/') {
		if _, ok := refs[name[:at]]; ok {
			return true
		}
	}
	return false
}

func hasChild(refs map[string]plumbing.Hash, name string) bool {
	for other := range refs {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// refReason says in the report why a ref could not be locked.
func (v *receiving) refReason(err error) string {
	switch {
	case errors.Is(err, repo.ErrRefStale):
		return reasonStale
	case errors.Is(err, repo.ErrRefConflict):
		return "the name conflicts with another ref"
	case errors.Is(err, repo.ErrRefLocked):
		return "the ref is locked by somebody else; push again"
	case errors.Is(err, repo.ErrRefName):
		return "invalid ref name"
	case errors.Is(err, repo.ErrRefDuplicate):
		return "multiple updates for one ref"
	case errors.Is(err, repo.ErrRefSymbolic):
		return "the ref is symbolic"
	case errors.Is(err, repo.ErrRefObject):
		return "the ref cannot point to that object"
	}
	v.c.log.Error("lock ref", zap.Error(err))
	return "internal error; ID " + v.c.id
}
