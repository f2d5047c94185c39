package deploy

import (
	"context"
	"errors"
	"strings"

	"go.uber.org/zap"

	"slipway/buildpacks"
	"slipway/buildpacks/build"
	"slipway/buildpacks/project"
	"slipway/gitserver"
	"slipway/internal/sources"
	"slipway/internal/state"
)

// errOnlyDetect ends a push that asked for detection alone.
var errOnlyDetect = errors.New("detection only")

// exitNothingDetected is the lifecycle's exit code when no buildpack takes the
// app (platform specification, "Exit codes").
const exitNothingDetected = 20

// reject is the one place where an error of a push becomes words. It writes
// them, and returns what git is told.
func (d *Deployer) reject(ctx context.Context, p *push, err error) error {
	defer p.record.failed(ctx)
	refused := &gitserver.RejectError{Reason: declined, Err: err}
	var (
		known    *gitserver.RejectError
		undetect *buildpacks.DetectError
		failed   *build.Error
		source   *sources.Error
		says     *project.Error
	)
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, errOnlyDetect):
		p.out.step("Detection only: nothing was built and nothing moved.")
		refused.Reason = "detection only"
		return refused
	case errors.As(err, &undetect):
		p.out.text(undetect.Text())
		if !p.opts.trace { // which has shown the whole
			d.shortForm(ctx, p)
		}
		p.out.rejected(p.Repo, "Push rejected, "+p.noun(undetect)+".")
	case p.record.canceled() != "":
		p.out.rejected(p.Repo, p.record.canceled()+": nothing was released.")
	case errors.As(err, &source):
		p.out.text("\n")
		p.out.warn(strings.ToUpper(source.Text[:1]) + source.Text[1:] + ".")
		p.out.rejected(p.Repo, "Push rejected, the source cannot be built.")
	case errors.As(err, &says):
		p.out.text("\n")
		p.out.warn("Error: " + says.Error())
		p.out.rejected(p.Repo, "Push rejected, the source cannot be built.")
	case ctx.Err() != nil, errors.Is(err, build.ErrCanceled), errors.Is(err, context.Canceled):
		p.out.rejected(p.Repo, "Push cancelled: nothing was released.")
	case errors.As(err, &failed):
		p.out.text("\n")
		p.out.warn(d.whyNotBuilt(p, failed))
		p.out.rejected(p.Repo, "Push rejected, failed to compile "+p.language()+" app.")
	case errors.As(err, new(*PhaseError)):
		p.out.text("\n")
		p.out.warn("Error: " + err.Error() + ".")
		p.out.rejected(p.Repo, "Push rejected, release command failed.")
	case p.overtaken(err) != "":
		p.out.rejected(p.Repo, "Push rejected, "+p.overtaken(err))
	default:
		p.log.Error("push failed", zap.Error(err))
		p.out.rejected(p.Repo, "Push rejected: internal error, push "+p.ID+". The server's log says more; push again, or ask its operator.")
		return refused
	}
	p.log.Info("push rejected", zap.String("user", p.User), reason(err))
	return refused
}

// whyNotBuilt is what to tell of a build that failed.
func (d *Deployer) whyNotBuilt(p *push, failed *build.Error) string {
	switch {
	case failed.Code != exitNothingDetected:
		return failed.Text
	case len(p.buildpacks) > 0:
		return p.incompatible()
	}
	return "The builder has no buildpack for this " + p.language() + " app.\nPush with -o builder=REF to build it with another builder that the operator allows.\nThis shows which buildpacks were asked, and why, in your app's folder:\n  " + d.reproduce(p)
}

// overtaken is what others did meanwhile that a push cannot stand beside; "" if
// nothing.
func (p *push) overtaken(err error) string {
	switch {
	case errors.Is(err, state.ErrMoved):
		return "another release was made meanwhile. Push again."
	case errors.Is(err, gitserver.ErrBusy):
		return "too many others are waiting. Try again later."
	case p.tarball != nil && errors.Is(err, state.ErrNotFound):
		return "the app is gone."
	}
	return ""
}

// reason is why a push was rejected; the builder has logged its own errors.
func reason(err error) zap.Field {
	if errors.As(err, new(*build.Error)) {
		return zap.Skip()
	}
	return zap.Error(err)
}

func (p *push) noun(e *buildpacks.DetectError) string {
	if errors.Is(e, buildpacks.ErrNoLanguage) {
		return "no default language could be detected"
	}
	return "failed to compile " + p.language() + " app"
}

func (p *push) language() string {
	if p.plan == nil || p.plan.Language == "" {
		return "the"
	}
	return buildpacks.LanguageName(p.plan.Language)
}
