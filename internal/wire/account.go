package wire

import "time"

// An AccountInfo is an account as its owner sees it.
type AccountInfo struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Admin     bool      `json:"admin"` // may use all apps, and make accounts
	Verified  bool      `json:"verified"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// What follows is Heroku's, and always false or null.
	AllowTracking       bool       `json:"allow_tracking"`
	Beta                bool       `json:"beta"`
	Federated           bool       `json:"federated"`
	TwoFactor           bool       `json:"two_factor_authentication"`
	Country             *string    `json:"country_of_residence"`
	DefaultOrganization *struct{}  `json:"default_organization"`
	DefaultTeam         *struct{}  `json:"default_team"`
	DelinquentAt        *time.Time `json:"delinquent_at"`
	IdentityProvider    *struct{}  `json:"identity_provider"`
	LastLogin           *time.Time `json:"last_login"`
	Name                *string    `json:"name"`
	SMSNumber           *string    `json:"sms_number"`
	SuspendedAt         *time.Time `json:"suspended_at"`
}
