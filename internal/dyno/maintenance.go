package dyno

// maintenancePage is the config var with the address of an app's own page.
const maintenancePage = "MAINTENANCE_PAGE_URL"

// A MaintenanceError says that an app is in maintenance mode.
type MaintenanceError struct {
	Page string // the address of what to show meanwhile; "" if the app says none
}

func (*MaintenanceError) Error() string { return "the app is in maintenance mode" }

// Maintain turns an app's maintenance mode on or off, which the store knows
// already. From its return on, [Manager.Route] does as it was told.
func (m *Manager) Maintain(name string, on bool) {
	a := m.app(name)
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted.App.Maintenance = on
	a.told++
	a.notify() // requests that wait for a dyno need not
	a.reloadLocked()
}
