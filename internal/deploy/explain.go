package deploy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"

	"slipway/buildpacks/build"
	"slipway/buildpacks/detector"
)

// lineWidth is what git leaves of a terminal of 80 columns behind "remote: ".
const lineWidth = 72

// explain shows what detection decided and why: the table of `slipway detect`,
// or Slipway's own answer and why there is no more.
func (d *Deployer) explain(ctx context.Context, p *push) {
	report, err := d.report(ctx, p)
	if err == nil {
		p.out.text("\n")
		if err = detector.WriteTable(p.out, report, detector.Look{Width: lineWidth, Verbose: p.opts.trace}); err == nil {
			p.out.text("\n")
			if p.plan.Error != nil && report.Builder != build.Bundled {
				p.out.text(p.plan.Error.Text()) // which the table has only of our own builder
			}
			return
		}
	}
	p.out.text(p.plan.Explain())
	if ctx.Err() != nil {
		return
	}
	if told, ok := errors.AsType[*build.Error](err); ok {
		p.out.warn("What the builder's buildpacks answer is not known: " + told.Text)
		return
	}
	p.log.Warn("detection for a table failed", zap.Error(err))
	p.out.warn("What the builder's buildpacks answer could not be found out. To see it, run this\nin your app's folder:\n" + d.reproduce(p))
}

func (d *Deployer) report(ctx context.Context, p *push) (*detector.Report, error) {
	return d.cfg.Builder.Detect(ctx, build.Detection{
		App: p.Repo, Source: p.source, Plan: p.plan, Builder: p.otherBuilder(), Env: buildEnv(p.current.Config),
		Buildpacks: p.namedBuildpacks(), Language: p.mainLanguage(),
	})
}

// shortForm says in a line how detection went, and how to see the whole of it
// on the pusher's own machine.
func (d *Deployer) shortForm(ctx context.Context, p *push) {
	if report, err := d.report(ctx, p); err == nil {
		p.out.text("       ")
		_ = detector.WriteLine(p.out, report, detector.Look{Width: 2 * lineWidth}) // as with all that the pusher is told
	}
	p.out.detail("This shows which buildpacks were asked, and why, in your app's folder:")
	p.out.detail("  %s", d.reproduce(p))
}

// reproduce is the command that detects on the pusher's machine as the server
// did. The values of config vars are not shown: they are taken from the
// pusher's environment.
func (d *Deployer) reproduce(p *push) string {
	words := []string{"slipway", "detect"}
	builder := p.otherBuilder()
	if builder == "" {
		builder = d.cfg.BuilderName
	}
	if builder != "" && builder != build.Bundled {
		words = append(words, "--builder", shellWord(builder))
		// The bundled builder's detection reads no variable.
		for _, name := range slices.Sorted(maps.Keys(buildEnv(p.current.Config))) {
			words = append(words, "--env", shellWord(name))
		}
	}
	for _, name := range p.namedBuildpacks() {
		words = append(words, "--buildpack", shellWord(name))
	}
	return strings.Join(append(words, "."), " ")
}

// shellWord is s as a shell reads it, if s is a plain word, or else as Go quotes it.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("./:@_-", r))
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}
