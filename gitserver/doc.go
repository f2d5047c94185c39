// Package gitserver receives pushes and serves fetches, over smart HTTP and
// SSH, without a git binary on the server.
//
// A [Server] keeps the bare repositories of one directory. Whoever pushes is
// signed in by an [Authorizer]; what they push is put in quarantine, checked as
// `git fsck --strict` would, and shown to a [Receiver], which may take its time
// (build the commit, say) and whose words reach the pusher's terminal as they
// are written. Only when the Receiver agrees do the refs move, by lock and
// compare-and-swap. A push that is rejected, broken off or interrupted leaves
// every ref as it was.
//
//   - Two pushes to one repository queue in order; those to different
//     repositories do not wait for each other.
//   - A client that goes away cancels the Receiver's context within a second.
//     What keeps a connection open is a client's process, not its parent: of
//     `git push`, that is git-remote-http or ssh, which Ctrl-C ends too.
//   - Silence is filled with keepalives; a client that is silent itself, does
//     not read, or does either too slowly, is cut off. Every limit is a field of
//     [Config].
//   - Pushes and fetches share one budget of memory, for which they wait in turn.
//   - Failed sign-ins are limited for each address; [Server.LimitSignIns] puts
//     other handlers of the same tokens under the same limit.
//   - Fetches speak protocol v0, v1 and v2, shallow and partial ones among them.
//     A commit or a tag can be fetched by name if a ref that is not hidden leads
//     to it; trees and blobs by whoever knows their names.
//   - [Server.RunUpkeep] keeps the repositories fast however many pushes come,
//     and removes what no ref leads to any more. `git gc` stays allowed.
//   - [ServeLocal] stands in for git receive-pack and git upload-pack, on any
//     bare repository.
//
// What it deliberately does not do: filters by path, signed pushes, SHA-256
// repositories and the dumb HTTP protocol are refused in words; a push does not
// go through a symbolic ref; hooks of a repository are not run (but by
// ServeLocal, where it is asked to), and its configuration is not obeyed, since
// a Receiver is the place for policy; nothing but git runs over SSH.
//
// Package repo below it is the storage, package pktline the framing; both can
// be used alone.
//
// All methods of a Server may be called at once. The caller owns the HTTP
// server: it should have a ReadHeaderTimeout, and needs no other timeout, as the
// handler keeps the deadlines of each exchange itself.
package gitserver
