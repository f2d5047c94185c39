// isomorphic-git as a client: isomorphic_client.mjs push|clone|fetch URL DIR [REFSPEC...]
import fs from "node:fs";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node/index.js";

const [verb, url, dir, ...refspecs] = process.argv.slice(2);
const common = {
  fs, http, dir, url,
  onAuth: () => ({ username: "any", password: process.env.CLIENT_TOKEN }),
  onAuthFailure: () => ({ cancel: true }),
  onMessage: (text) => process.stderr.write(text),
};

if (verb === "push") {
  for (const spec of refspecs) {
    const [ref, remoteRef] = spec.replace(/^\+/, "").split(":");
    const result = await git.push({ ...common, ref: ref || remoteRef, remoteRef, force: spec.startsWith("+"), delete: ref === "" });
    if (!result.ok) throw new Error(JSON.stringify(result));
  }
} else if (verb === "clone") {
  await git.clone(common);
} else {
  await git.addRemote({ fs, dir, remote: "origin", url, force: true });
  await git.fetch({ ...common, remote: "origin" });
}
