package deploy

import (
	"fmt"
	"strings"

	"slipway/gitserver"
)

// options are what "git push -o" asks for.
type options struct {
	detect  bool   // explain and stop
	noCache bool   // forget the app's cache, and build a known commit again
	trace   bool   // show all that pack and the lifecycle say
	builder string // build with this one
	// buildpacks are used for this push, in their order; none leaves it to the app's
	// settings and its files.
	buildpacks []string
}

func parseOptions(words []string) (options, error) {
	var o options
	for _, word := range words {
		key, value, hasValue := strings.Cut(word, "=")
		switch {
		case key == "detect" && !hasValue:
			o.detect = true
		case key == "no-cache" && !hasValue:
			o.noCache = true
		case key == "trace" && !hasValue:
			o.trace = true
		case key == "builder" && value != "":
			o.builder = value
		case key == "buildpack" && value != "":
			o.buildpacks = append(o.buildpacks, value)
		default:
			return o, &gitserver.RejectError{
				Text:   fmt.Sprintf(" !     There is no push option %.80q.\n !     Known are: detect, no-cache, trace, builder=REF, buildpack=NAME\n", word),
				Reason: "unknown push option",
			}
		}
	}
	return o, nil
}
