package deploy

import (
	"context"

	"slipway/internal/state"
)

// SetMaintenance turns an app's maintenance mode on or off. Its dynos go on as
// they are; requests do not reach them while it is on.
func (d *Deployer) SetMaintenance(ctx context.Context, by state.Actor, app string, on bool) error {
	if err := d.cfg.Formations.SetMaintenance(ctx, by, app, on); err != nil {
		return err
	}
	words := "Maintenance mode disabled"
	if on {
		words = "Maintenance mode enabled"
	}
	d.say(app, words+" by user "+by.User)
	d.cfg.Dynos.Maintain(app, on)
	return nil
}
