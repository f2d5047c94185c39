// Package router takes HTTP requests to the web dynos of apps, and finds the
// certificates to do so over TLS.
//
// A [Router] is an [http.Handler]. It asks [Apps] which app a host belongs to
// and which dyno shall answer, and passes the request on, as it comes, over a
// connection that it keeps. Where that goes wrong it behaves as Heroku's router
// does: the same time-outs, codes, log lines and pages.
//
// Dynos are spoken to in HTTP/1.1 by the goroutine that serves the request, not
// through [net/http.Transport]: nothing is handed over, each time-out is a
// deadline on the connection, and what was sent when a connection broke is
// known. A request goes to another dyno only if the first had no part of it, or
// if it is harmless to send it twice. A body that was begun is never sent again.
//
// The package does not start, stop or count dynos, and holds no requests back:
// that is what [Apps] does. It caches nothing, and speaks neither HTTP/2 nor TLS
// to dynos.
//
// A [TLS] has the certificates that people bring, and gets others by ACME for
// the hosts of apps, when the first client asks.
//
//	rt := router.New(router.Config{Apps: dynos, Domain: "example.com", Log: toAppLog, Logger: log})
//	defer rt.Close()
//	certs, err := router.OpenTLS(router.TLSConfig{CA: directory, Storage: dir, AllowHost: isApp})
//	if err != nil {
//		return err
//	}
//	defer certs.Close()
//	plain := &http.Server{Addr: ":80", Handler: certs.HTTP(rt)}
//	secure := &http.Server{Addr: ":443", Handler: rt, TLSConfig: certs.Config()}
package router
