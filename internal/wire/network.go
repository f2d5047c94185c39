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
	// Endpoint is the certificate that somebody brought for it; null for none.
	Endpoint *Ref `json:"sni_endpoint"`
	// ACMStatus and ACMReason are Heroku's, and always null.
	ACMStatus *string `json:"acm_status"`
	ACMReason *string `json:"acm_status_reason"`
}

// A DomainCreate asks for a domain to be added.
type DomainCreate struct {
	Hostname string  `json:"hostname"`
	Endpoint *string `json:"sni_endpoint,omitempty"` // a certificate that is for it; any if nil
}

// A DomainUpdate asks for a domain's certificate, which has to be for it.
type DomainUpdate struct {
	Endpoint *string `json:"sni_endpoint"`
}

// A Cert is a TLS certificate that somebody brought. Its key is never shown.
type Cert struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName *string   `json:"display_name"`
	App         Ref       `json:"app"`
	Chain       string    `json:"certificate_chain"`
	Domains     []string  `json:"domains"` // IDs of the app's domains that it is for
	SSLCert     SSLCert   `json:"ssl_cert"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// An SSLCert is what a certificate says of itself.
type SSLCert struct {
	ID         string    `json:"id"`
	Domains    []string  `json:"cert_domains"`
	StartsAt   time.Time `json:"starts_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Issuer     string    `json:"issuer"`
	Subject    string    `json:"subject"`
	SelfSigned bool      `json:"self_signed?"`
	CASigned   bool      `json:"ca_signed?"` // by one that this server's system trusts
	ACM        bool      `json:"acm"`        // false: somebody brought it
}

// A CertCreate asks for a certificate to be added, or to take another's place.
type CertCreate struct {
	Chain string `json:"certificate_chain"` // PEM, the leaf first
	Key   string `json:"private_key"`       // PEM
}
