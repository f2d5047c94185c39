// Package state holds the control plane's nouns (apps, releases, keys) and the
// rules that they obey wherever they are stored. The stores are packages of
// their own: [slipway/internal/state/sqlite] and
// [slipway/internal/state/postgres], which share the queries of
// [slipway/internal/state/sqlstore].
//
// It stores no secrets in the clear: of a token only its SHA-256 is kept;
// config vars, keys of certificates and addresses of drains are encrypted by a
// [Sealer].
package state
