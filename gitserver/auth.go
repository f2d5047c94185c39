package gitserver

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"go.uber.org/zap"
	"golang.org/x/crypto/ssh"
)

// signInToken and signInKey are the only ways in.

func (s *Server) signInToken(ctx context.Context, remote, token string) (string, error) {
	if wait := s.signIns.wait(remote, token); wait > 0 {
		return "", tooManyFailures(wait)
	}
	user, err := s.cfg.Authorizer.Token(ctx, token)
	if err == nil {
		s.signIns.succeeded(remote, token)
	}
	if errors.Is(err, ErrUnauthorized) {
		s.signIns.failed(remote)
		s.log.Warn("sign-in refused", zap.String("transport", TransportHTTP), zap.String("remote", remote))
	}
	return user, err
}

// signInKey asks whose a key is. Whether they have it is seen only later, and
// clients offer all that they have, so that success and failure are counted
// when the connection ends.
func (s *Server) signInKey(ctx context.Context, remote string, key ssh.PublicKey) (string, error) {
	if wait := s.signIns.wait(remote, string(key.Marshal())); wait > 0 {
		return "", ErrUnauthorized
	}
	user, err := s.cfg.Authorizer.Key(ctx, key)
	if errors.Is(err, ErrUnauthorized) {
		s.log.Warn("sign-in refused", zap.String("transport", TransportSSH), zap.String("remote", remote),
			zap.String("key", ssh.FingerprintSHA256(key)))
	}
	return user, err
}

// admit asks whether the user may have the service, and makes the repository
// where the answer is yes.
func (s *Server) admit(ctx context.Context, c *call, service string) error {
	if err := s.cfg.Authorizer.Repository(ctx, Access{User: c.user, Remote: c.remote, Repo: c.repo, Write: service == serviceReceive}); err != nil {
		return err
	}
	return s.ensure(c.repo)
}

// newCall begins a call, with a logger that says whose it is.
func (s *Server) newCall(name, user, transport, remote string) *call {
	c := &call{
		id: strings.ToLower(rand.Text()[:16]), repo: name, dir: s.dir(name),
		user: user, transport: transport, remote: remote,
	}
	c.log = s.log.With(zap.String("push", c.id), zap.String("app", name), zap.String("user", user),
		zap.String("transport", transport))
	return c
}

// warn logs an error that changes nothing for the client.
func (c *call) warn(doing string, err error) {
	if err != nil {
		c.log.Warn("leftover", zap.String("doing", doing), zap.Error(err))
	}
}

// wireVersion reads the version out of GIT_PROTOCOL or Git-Protocol, a list
// such as "version=2:key=value". The highest that we know counts.
func wireVersion(header string) int {
	version := 0
	for f := range strings.SplitSeq(header, ":") {
		switch f {
		case "version=1":
			version = max(version, 1)
		case "version=2":
			version = 2
		}
	}
	return version
}
