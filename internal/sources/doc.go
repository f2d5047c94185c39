// Package sources has the source code that is built without a push: tarballs
// that were uploaded to this server or lie elsewhere, and the trees in them.
//
// A [Store] gives out places for uploads, each known by a token, which expire and
// are bounded in size. [Fetcher.Get] reads a tarball from an address, but none of
// this machine or its networks that the operator has not opened. [Unpack] makes a
// tree of it that no name or link in it leads out of.
//
// What it deliberately does not do: it keeps no upload across a restart.
package sources
