// Package mirror serves what builds fetch, on loopback, for tests: builds reach a
// listed address of the host (--build-reach) and nothing else of it, and what is
// large is fetched once.
package mirror
