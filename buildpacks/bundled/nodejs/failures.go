package nodejs

import (
	"bytes"
	"fmt"
	"strings"
)

// A failureLog looks in the output of a package manager for troubles that can be
// explained.
type failureLog struct {
	found   *trouble
	inUsage bool
}

// usage tells the lines in which npm explains its whole command line, under
// whatever went wrong.
func (f *failureLog) usage(line []byte) bool {
	text, ok := bytes.CutPrefix(line, []byte("npm error"))
	switch {
	case !ok || bytes.HasPrefix(text, []byte(" A complete log")):
		f.inUsage = false
	case bytes.Equal(text, []byte(" Usage:")):
		f.inUsage = true
	}
	return f.inUsage
}

func (f *failureLog) see(line []byte) {
	if f.found != nil {
		return
	}
	for i := range troubles {
		for _, sign := range troubles[i].signs {
			if bytes.Contains(line, []byte(sign)) {
				f.found = &troubles[i]
				return
			}
		}
	}
}

// hint explains what was seen, "" if nothing was.
func (f *failureLog) hint(b *build) string {
	if f.found == nil {
		return ""
	}
	if f.found.text != nil {
		return f.found.text(b)
	}
	return f.found.words
}

// A trouble is known by any of its signs in the output.
type trouble struct {
	signs []string
	words string
	text  func(*build) string // instead of words
}

var troubles = []trouble{
	{
		signs: []string{
			"npm ci` can only install packages when your package.json and", "can only install with an existing package-lock.json",
			"Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`",
			"The lockfile would have been modified by this install", "The lockfile would have been created by this install",
			"ERR_PNPM_OUTDATED_LOCKFILE", "ERR_PNPM_LOCKFILE_CONFIG_MISMATCH", "ERR_PNPM_NO_LOCKFILE",
		},
		text: func(b *build) string {
			name := b.manager.name
			return fmt.Sprintf(`Error: The lockfile doesn't match package.json.

%[1]s is not what '%[2]s install' would write for the packages that
your package.json asks for. This happens when package.json is edited by
hand, or by another package manager.

Run these commands, and push again:

  %[2]s install
  git add %[1]s
  git commit -m "Update %[1]s"`, lockOf(name), name)
		},
	},
	{
		signs: []string{
			"ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH", "ECONNRESET", "ERR_SOCKET_TIMEOUT",
			"There appears to be trouble with your network connection", "ERR_PNPM_META_FETCH_FAIL",
		},
		text: func(b *build) string {
			return fmt.Sprintf(strings.TrimSuffix(unreachable, "\n"), "A package", b.registry.base.Host, "see the log output above")
		},
	},
	{
		signs: []string{"npm error code E404", "npm ERR! code E404", "Couldn't find package", "ERR_PNPM_FETCH_404", "YN0035"},
		words: `Error: A package doesn't exist in the registry.

It is named in the log output above. Check its spelling in package.json;
a private package needs the address of its registry and a token in
.npmrc (or .yarnrc.yml), such as ${NPM_TOKEN} from the config vars.`,
	},
	{
		signs: []string{"npm error code ETARGET", "npm ERR! code ETARGET", "Couldn't find any versions for", "ERR_PNPM_NO_MATCHING_VERSION", "YN0082"},
		words: `Error: A package has no version such as package.json asks for.

It is named in the log output above. Correct the range in package.json.`,
	},
	{
		signs: []string{"npm error code EINTEGRITY", "npm ERR! code EINTEGRITY", "Integrity check failed", "ERR_PNPM_TARBALL_INTEGRITY", "YN0018"},
		words: `Error: A package isn't what the lockfile says.

The registry has other content under the same version than when the
lockfile was written. Find out why before you update the lockfile.`,
	},
	{
		signs: []string{"gyp ERR!"},
		words: `Error: A package with native code couldn't be compiled.

It is named in the log output above. Often a newer version of the
package has ready-made programs for this version of Node.js.`,
	},
	{
		signs: []string{"JavaScript heap out of memory"},
		words: `Error: Node.js ran out of memory.

Let it use more, if the builds of your server may:

  slipway config:set NODE_OPTIONS=--max-old-space-size=2048`,
	},
	{
		signs: []string{"ERR_OSSL_EVP_UNSUPPORTED"},
		words: `Error: A tool of the build is too old for this Node.js.

It asks for a hash that Node.js 17 and newer leave out. Update webpack
to version 5 or newer, or allow it for now:

  slipway config:set NODE_OPTIONS=--openssl-legacy-provider`,
	},
	{
		signs: []string{": not found", "command not found", "Cannot find module", "ERR_MODULE_NOT_FOUND"},
		words: `Error: A module or a program is missing.

It is named in the log output above. If it works on your machine, it may
be installed there globally, or missing in package.json: add it with
'npm install --save-dev NAME' (or yarn add, pnpm add).`,
	},
}
