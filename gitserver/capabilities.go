package gitserver

import (
	"fmt"
	"strings"

	"slipway/gitserver/pktline"
)

// Object formats, as the capability object-format names them.
const objectFormat = "sha1"

// capabilities is what a client asked for, as far as we know it.
type capabilities struct {
	reportStatus   bool
	reportStatusV2 bool
	atomic         bool
	pushOptions    bool
	sideband       int // payload of a packet; 0 without side bands

	multiAck         bool
	multiAckDetailed bool
	ofsDelta         bool
	thinPack         bool
	noProgress       bool
	includeTag       bool
	noDone           bool
	deepenRelative   bool

	agent string
}

// parseCapabilities reads a list of capabilities. Those that we do not know
// are skipped, as git does.
func parseCapabilities(list string) (capabilities, error) {
	var c capabilities
	for f := range strings.FieldsSeq(list) {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "object-format":
			if value != objectFormat {
				return c, refuse("object format %q is not served here: this repository uses sha1; recreate yours with git init --object-format=sha1", clip(value, 16))
			}
		case "agent":
			c.agent = clip(value, 128)
		case "push-cert":
			return c, refuse("signed pushes are not accepted here; push again with --no-signed")
		default:
			c.set(key)
		}
	}
	return c, nil
}

func (c *capabilities) set(key string) {
	switch key {
	case "report-status":
		c.reportStatus = true
	case "report-status-v2":
		c.reportStatusV2 = true
	case "side-band":
		c.sideband = max(c.sideband, pktline.SmallBand)
	case "side-band-64k":
		c.sideband = pktline.LargeBand
	case "atomic":
		c.atomic = true
	case "push-options":
		c.pushOptions = true
	case "multi_ack":
		c.multiAck = true
	case "multi_ack_detailed":
		c.multiAckDetailed = true
	default:
		c.setFetch(key)
	}
}

func (c *capabilities) setFetch(key string) {
	switch key {
	case "ofs-delta":
		c.ofsDelta = true
	case "thin-pack":
		c.thinPack = true
	case "no-progress":
		c.noProgress = true
	case "include-tag":
		c.includeTag = true
	case "no-done":
		c.noDone = true
	case "deepen-relative":
		c.deepenRelative = true
	}
}

// report reports whether the client wants a report of a push.
func (c *capabilities) report() bool { return c.reportStatus || c.reportStatusV2 }

// refuse returns an error whose words the user may read.
func refuse(format string, args ...any) error {
	return &UserError{Text: fmt.Sprintf(format, args...)}
}
