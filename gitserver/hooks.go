package gitserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"slipway/gitserver/repo"
)

// Hooks has the hooks of a repository run (githooks(5)): pre-receive, update,
// reference-transaction, post-receive and post-update, out of its directory
// hooks. Whoever can write there chooses what runs, so they are for repositories
// whose owner has started the program.
type Hooks struct {
	Env []string // what hooks find in their environment, next to git's own variables
}

const (
	hookPreReceive  = "pre-receive"
	hookUpdate      = "update"
	hookTransaction = "reference-transaction"
	hookPostReceive = "post-receive"
	hookPostUpdate  = "post-update"

	// hookLinger is how long the streams of a hook that was ended may stay open:
	// something that it has started may still have them.
	hookLinger = 5 * time.Second
)

// hook runs one hook of the push's repository, if there is one. What it prints
// reaches the client. Git ignores a hook that does not read its input; so does
// package exec.
func (v *receiving) hook(ctx context.Context, name, stdin string, env []string, args ...string) error {
	if v.c.hooks == nil {
		return nil
	}
	path := filepath.Join(v.c.dir, "hooks", name)
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return nil //nolint:nilerr // there is no such hook
	}
	if st.Mode()&0o111 == 0 {
		v.print(fmt.Sprintf("hint: The '%s' hook was ignored because it's not set as executable.", name))
		return nil
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = v.c.dir
	cmd.Env = slices.Concat(v.c.hooks.Env, []string{"GIT_DIR=."}, env)
	cmd.Stdin = strings.NewReader(stdin)
	to := v.out.progress()
	cmd.Stdout, cmd.Stderr = to, to // one stream, so that lines stay in order
	cmd.WaitDelay = hookLinger
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it left something behind that holds its streams
	}
	return err
}

// pushOptions are the options as pre-receive and post-receive see them.
func pushOptions(options []string) []string {
	env := []string{fmt.Sprintf("GIT_PUSH_OPTION_COUNT=%d", len(options))}
	for i, o := range options {
		env = append(env, fmt.Sprintf("GIT_PUSH_OPTION_%d=%s", i, o))
	}
	return env
}

// hookLines is what hooks read of commands.
func (v *receiving) hookLines(of []int) string {
	var b strings.Builder
	for _, i := range of {
		cmd := v.verdicts[i].cmd
		fmt.Fprintf(&b, "%s %s %s\n", cmd.Old, cmd.New, cmd.Ref)
	}
	return b.String()
}

// preReceive asks the hook that decides about the whole push. It sees the new
// objects, which are not the repository's yet (git-receive-pack(1), "Quarantine
// environment").
func (v *receiving) preReceive(ctx context.Context, q *repo.Quarantine) error {
	if v.c.hooks == nil {
		return nil
	}
	dir, err := q.Expose()
	if err != nil {
		return fmt.Errorf("show objects to hook: %w", err)
	}
	env := pushOptions(v.req.options)
	if dir != "" {
		env = append(env, "GIT_QUARANTINE_PATH="+dir, "GIT_OBJECT_DIRECTORY="+dir,
			"GIT_ALTERNATE_OBJECT_DIRECTORIES="+alternate(filepath.Join(v.c.dir, "objects")))
	}
	if err := v.hook(ctx, hookPreReceive, v.hookLines(v.standing()), env); err != nil {
		return &RejectError{Err: err}
	}
	return nil
}

// alternate quotes a path where the list of directories needs it (git(1),
// GIT_ALTERNATE_OBJECT_DIRECTORIES).
func alternate(path string) string {
	if !strings.ContainsAny(path, ":\"\\\n") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

// updateHooks asks about each ref.
func (v *receiving) updateHooks(ctx context.Context) {
	if v.c.hooks == nil {
		return
	}
	defer v.allOrNone()
	for _, i := range v.standing() {
		cmd := v.verdicts[i].cmd
		if err := v.hook(ctx, hookUpdate, "", nil, cmd.Ref, cmd.Old.String(), cmd.New.String()); err != nil {
			v.print("error: hook declined to update " + cmd.Ref)
			v.reject(i, "hook declined")
		}
	}
}

// transactionHook tells of a state of the transaction. Only "prepared" can fail.
func (v *receiving) transactionHook(ctx context.Context, state string, turn []int) error {
	if v.c.hooks == nil {
		return nil
	}
	if err := v.hook(ctx, hookTransaction, v.hookLines(turn), nil, state); err != nil && state == "prepared" {
		return &RejectError{Reason: "ref updates aborted by hook", Err: err}
	}
	return nil
}

// postHooks tell of a push that stands. A client that goes away does not keep
// them from running, and what they return changes nothing.
func (v *receiving) postHooks(ctx context.Context) {
	if v.c.hooks == nil || len(v.standing()) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.s.cfg.PushTimeout)
	defer cancel()
	v.c.warn("run post-receive", v.hook(ctx, hookPostReceive, v.hookLines(v.standing()), pushOptions(v.req.options)))
	var refs []string
	for _, i := range v.standing() {
		refs = append(refs, v.verdicts[i].cmd.Ref)
	}
	v.c.warn("run post-update", v.hook(ctx, hookPostUpdate, "", nil, refs...))
}
