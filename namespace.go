package seshat

import "time"

// Namespace is the unit of isolation: it owns sessions, and carries their
// policy.
type Namespace struct {
	ID         string          `json:"namespace_id"` // "ns_" and a ULID; the store gives it
	Name       string          `json:"name"`         // unique in its organization; required
	InternalID string          `json:"internal_id"`  // the organization; by default DefaultOrganization
	Lifecycle  Lifecycle       `json:"lifecycle"`    // of its new sessions; zero fields come from Options
	Quotas     NamespaceQuotas `json:"quotas"`
	CreatedAt  time.Time       `json:"created_at"` // UTC, milliseconds; the store gives it
	UpdatedAt  time.Time       `json:"updated_at"` // likewise

	ordinal uint64
	extra   string // trailing elements of the stored form that this version does not know
}

// DefaultOrganization owns the namespaces of programs that have one.
const DefaultOrganization = "int_default"

// NamespaceQuotas bound a namespace; zero is unlimited. A call that would pass
// one is refused with a [QuotaError]. Sessions that have expired do not count.
type NamespaceQuotas struct {
	MaxSessions uint64 `json:"max_sessions,omitempty"`
	MaxMessages uint64 `json:"max_messages,omitempty"` // in all logs
	MaxBytes    uint64 `json:"max_bytes,omitempty"`    // of all sessions and messages, as stored
}
