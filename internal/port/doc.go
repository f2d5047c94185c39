// Package port lets one TCP port speak TLS, plain HTTP, and the protocol by which
// Heroku's client attaches to a dyno.
//
// A [Listener] stands between a listener and an HTTP server. It looks at the first
// byte of each connection, does the TLS handshake where there is one, and, where
// the client does not say by ALPN that it speaks HTTP, looks at the first line. So
// many connections may be undecided at once, each for a short time; none holds up
// another. It knows no certificates and no dynos, and parses no HTTP.
//
//	ln := port.New(tcp, port.Config{TLS: cfg})
//	srv := &http.Server{Handler: port.Handler(mux), ConnContext: port.ConnContext}
//	g.Go(func() error { return ln.Run(ctx) })
//	g.Go(func() error { return srv.Serve(ln) })
//
// A connection without TLS is passed on as it is, a [net.TCPConn], and so is a
// [tls.Conn] whose client has named its protocol.
package port
