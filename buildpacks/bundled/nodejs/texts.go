package nodejs

const unreachable = `Error: The npm registry couldn't be reached.

%[1]s was asked for at %[2]s:
%[3]v

Node.js, package managers and packages are fetched from
https://registry.npmjs.org unless the server is set up for another
registry. Where that is out of reach, the operator of the server names
a mirror, and opens the way to it if it is on a private address:

  slipway serve --build-env NPM_CONFIG_REGISTRY=http://HOST:PORT/ \
    --build-reach HOST:PORT

If it should be reachable, push again.`

const refused = `Error: The npm registry doesn't give out %[1]s.

%[3]v.

If a mirror is set (NPM_CONFIG_REGISTRY, now at %[2]s), check that
it has this package and asks for no password; or else push again later.`

const badRegistry = `Error: The address of the npm registry can't be used.

NPM_CONFIG_REGISTRY is set, but isn't an address.

Set it to one such as https://registry.npmjs.org/, in the app's config
vars or by the operator of the server:

  slipway serve --build-env NPM_CONFIG_REGISTRY=http://HOST:PORT/`

const badDigest = `Error: What was downloaded isn't what it should be.

The digest of %[1]s isn't the one that
%[2]s has.

Expected: %[3]s
Found:    %[4]s

Nothing of it was used. Push again; if the digest is the one in your
package.json, run 'corepack use' to write it anew and commit the change.`

const noNode = `Error: No such version of Node.js.

Your package.json asks in 'engines.node' for:
%[1]s

Neither the npm registry nor %[5]s has a Node.js for %[2]s
in that range. The newest of each major version in the registry:
%[3]s

Ask for one of them, or better for a major version:

  npm pkg set engines.node=%[4]s.x

and commit the change.`

const nodeEnded = `Warning: Node.js %[1]s has reached its end-of-life.

It gets no updates any more, not even for security.

Ask for a newer version as soon as possible:

  npm pkg set engines.node=%[2]s.x`

const noNPM = `Error: No npm was found for Node.js %[1]s.

The npm registry has no npm that runs on it. The newest of each major
version that it has:
%[2]s

Ask for a newer Node.js in 'engines.node' of your package.json.`

const noManager = `Error: No such version of %[1]s.

%[2]s asks for:
%[3]s

The npm registry has none in that range. The newest of each major
version that it has:
%[4]s

Ask for one of them, and commit the change.`

const noProgram = `Error: Unable to install %[1]s %[2]s.

See the log output above. If the npm registry couldn't be reached for
a part of it, push again.`

const badVendored = `Error: The Yarn in your app doesn't say its version.

%[1]s, named by 'yarnPath' in .yarnrc.yml, answered:
%[2]s

Run 'yarn set version stable' and commit what it changes.`

const commandFailed = `Error: '%[1]s' failed.

%[2]s

Check that the command runs on your machine.`

const manyLocks = `Error: Two different lockfiles were found.

Your app has the lockfiles of more than one package manager:
%[1]s

They may differ, and only one of them can be used. Your package.json
and these files make %[2]s the package manager of this app. If that is
right, remove the others:

%[3]s

Otherwise name another in 'packageManager' of your package.json.`

const noLock = `Warning: No lockfile was found.

Without one, each build may install other versions of your packages.

Run '%[1]s install' and commit the %[2]s that it makes.`

const nodeModulesThere = `Warning: node_modules is checked into source control.

Packages that were installed on another machine can break there what
works here, and are replaced.

Remove them from git, and have git ignore them:

  git rm -r --cached node_modules
  echo node_modules/ >> .gitignore`

const noStart = `Warning: This app may not specify any way to start a node process.

It has no Procfile with a 'web' line, no 'start' script in package.json
and neither server.js nor index.js, so nothing will answer its web
address.

If it should answer, add a start script:

  npm pkg set scripts.start="node app.js"`

const installFailed = `Error: Unable to install dependencies.

'%[1]s' failed. See the log output above for more information, and
check that the command runs on your machine.`

const pruneFailed = `Error: Unable to prune devDependencies.

'%[1]s' failed. See the log output above for more information.

To keep what only the build needs in the image, run:

  slipway config:set %[2]s=true`

const scriptFailed = `Error: The script '%[1]s' failed.

'%[2]s' exited with an error. See the log output above, and check
that it runs on your machine after a fresh install.`
