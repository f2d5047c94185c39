// Package pktline reads and writes git's packet lines, the special packets of
// protocol v2 included, and multiplexes side bands over them. It knows nothing
// of what the packets mean. See gitprotocol-common(5).
//
//	r := pktline.NewReader(conn)
//	kind, line, err := r.Next()
package pktline
