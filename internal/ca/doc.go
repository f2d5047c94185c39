// Package ca is the server's own certificate authority. It is made on the first
// start, and signs certificates for the names of this server and of its apps, so
// that git, browsers and Heroku's client can speak TLS to a server that no public
// authority knows. Whoever wants that trusts its certificate once: see "slipway
// trust".
//
// It signs for nobody else, has no revocation lists and answers no requests: its
// certificates live for days, and are made when a client asks for the name. The
// certificates that people bring, and those of ACME, are internal/router's.
//
//	authority, err := ca.Open(ca.Config{Dir: dir, Hosts: []string{"127.0.0.1"}, Domain: "localhost"})
//	if err != nil {
//		return err
//	}
//	cfg := &tls.Config{GetCertificate: authority.Certificate}
package ca
