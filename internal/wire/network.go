package wire

import "time"

// A Domain is a host name of an app.
type Domain struct {
	ID        string    `json:"id"`
	App       Ref       `json:"app"`
	Hostname  string    `json:"hostname"`
	Kind      string    `json:"kind"`  // "heroku" for the app's own APP.DOMAIN, else "custom"
	CNAME     *string   `json:"cname"` // what a custom domain's DNS should lead to
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// ACMStatus, ACMReason and Endpoint are Heroku's, and always null.
	ACMStatus *string `json:"acm_status"`
	ACMReason *string `json:"acm_status_reason"`
	Endpoint  *string `json:"sni_endpoint"`
}

// A DomainCreate asks for a domain to be added.
type DomainCreate struct {
	Hostname string  `json:"hostname"`
	Endpoint *string `json:"sni_endpoint,omitempty"` // Heroku's; taken and not used
}

// A Cert is a TLS certificate that somebody brought. Its key is never shown.
type Cert struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName *string   `json:"display_name"`
	App         Ref       `json:"app"`
	Chain       string    `json:"certificate_chain"`
	Domains     []string  `json:"domains"`
	SSLCert     SSLCert   `json:"ssl_cert"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// An SSLCert is what a certificate says of itself.
type SSLCert struct {
	Domains   []string  `json:"cert_domains"`
	ExpiresAt time.Time `json:"expires_at"`
}

// A CertCreate asks for a certificate to be added.
type CertCreate struct {
	Chain string `json:"certificate_chain"` // PEM, the leaf first
	Key   string `json:"private_key"`       // PEM
}
