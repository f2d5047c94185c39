package api

import (
	"github.com/google/uuid"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// idOf makes an ID, always the same, for a thing of an app that has none of its
// own in the state: a release, say.
func idOf(app state.App, kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(app.ID+"/"+kind+"/"+name)).String()
}

func refTo(app state.App) wire.Ref { return wire.Ref{ID: app.ID, Name: app.Name} }
