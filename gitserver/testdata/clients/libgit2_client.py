"""libgit2 as a client: libgit2_client.py push|clone|fetch URL DIR [REFSPEC...]"""
import os
import sys

import pygit2

verb, url, where, *refspecs = sys.argv[1:]


class Callbacks(pygit2.RemoteCallbacks):
    def credentials(self, url, username_from_url, allowed_types):
        if url.startswith("ssh:"):
            key = os.environ["CLIENT_KEY"]
            return pygit2.Keypair("git", key + ".pub", key, "")
        return pygit2.UserPass("any", os.environ["CLIENT_TOKEN"])

    def certificate_check(self, certificate, valid, host):
        return True

    def sideband_progress(self, text):
        sys.stderr.write(text)

    def push_update_reference(self, refname, message):
        if message is not None:
            raise SystemExit(f"{refname}: {message}")


if verb == "clone":
    pygit2.clone_repository(url, where, callbacks=Callbacks())
else:
    remotes = pygit2.Repository(where).remotes
    names = [r.name for r in remotes]
    remote = remotes["server"] if "server" in names else remotes.create("server", url)
    if verb == "push":
        remote.push(refspecs, callbacks=Callbacks())
    else:
        remote.fetch(["+refs/heads/*:refs/remotes/origin/*"], callbacks=Callbacks())
