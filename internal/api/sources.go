package api

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"slipway/internal/sources"
	"slipway/internal/state"
	"slipway/internal/wire"
)

// Sources is where tarballs are uploaded to. A token is a secret by which one is
// known.
type Sources interface {
	Create() (token string, err error)
	Has(token string) bool
	Put(token string, body io.Reader) error
	Get(token string) (*os.File, error)
}

var _ Sources = (*sources.Store)(nil)

const (
	sourcesPath   = "/sources"
	sourceSuffix  = ".tgz"
	uploadTimeout = 30 * time.Minute
)

// createSource makes an address to upload to, which is also that to read from.
func (a *api) createSource(r *http.Request, _ state.Actor) (int, any, error) {
	token, err := a.Sources.Create()
	if err != nil {
		return 0, nil, sourceError(err)
	}
	address := a.self(r) + sourcesPath + "/" + token + sourceSuffix
	return http.StatusCreated, wire.Source{SourceBlob: wire.SourceAddresses{GetURL: address, PutURL: address}}, nil
}

// sourceToken reads the token out of an address of ours.
func sourceToken(u *url.URL) (token string, ours bool) {
	name, ours := strings.CutPrefix(u.Path, sourcesPath+"/")
	if !ours {
		return "", false
	}
	return strings.CutSuffix(name, sourceSuffix)
}

// putSource takes an upload from whoever has its address.
func (a *api) putSource(w http.ResponseWriter, r *http.Request) {
	token, _ := sourceToken(r.URL)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTimeout)) // not every reader has deadlines
	if err := a.Sources.Put(token, r.Body); err != nil {
		// What is left of the body is not read.
		w.Header().Set("Connection", "close")
		a.fail(w, r, sourceError(err))
		return
	}
	w.WriteHeader(http.StatusOK)
}

// getSource gives an upload to whoever has its address.
func (a *api) getSource(w http.ResponseWriter, r *http.Request) {
	token, _ := sourceToken(r.URL)
	f, err := a.Sources.Get(token)
	if err != nil {
		a.fail(w, r, sourceError(err))
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Cache-Control", noStore)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(uploadTimeout)) // not every writer has deadlines
	_, _ = io.Copy(w, f)                                                              // the client is gone: nobody is left to tell
}

// sourceError gives an error of a source its kind.
func sourceError(err error) error {
	switch {
	case errors.Is(err, sources.ErrNotFound):
		return &wordsError{text: err.Error() + ": make another (POST /sources)", kind: state.ErrNotFound}
	case errors.Is(err, sources.ErrFull):
		return &wordsError{text: err.Error(), kind: errTooMany}
	case errors.Is(err, sources.ErrEmpty), errors.Is(err, sources.ErrTooLarge):
		return invalid("%v", err)
	}
	if known, ok := errors.AsType[*sources.Error](err); ok {
		return invalid("%v", known)
	}
	return err
}
