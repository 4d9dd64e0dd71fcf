package seshat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// APIKey describes an API key. The store keeps a hash of its secret, never the
// secret.
type APIKey struct {
	ID             string    `json:"key_id"`       // a ULID; set by the store
	OrganizationID string    `json:"internal_id"`  // the organization; the default is DefaultOrganization
	Name           string    `json:"name"`         // for people; optional
	Namespaces     []string  `json:"namespaces"`   // ids of the permitted namespaces; none = the whole organization
	ReadOnly       bool      `json:"read_only"`    // permits reads only; the caller of Authenticate enforces it
	CreatedAt      time.Time `json:"created_at"`   // UTC with millisecond precision; set by the store
	ExpiresAt      time.Time `json:"expires_at"`   // the key is invalid from this time on; zero = never
	LastUsedAt     time.Time `json:"last_used_at"` // to the minute; zero = never used

	hash  [sha256.Size]byte // hash of the whole secret
	extra string            // trailing elements of the stored form that this version does not know
}

// Allows reports whether the key permits access to the tenant's namespace.
func (k *APIKey) Allows(t *Tenant) bool {
	return k.OrganizationID == t.organization && (len(k.Namespaces) == 0 || slices.Contains(k.Namespaces, t.id))
}

const (
	keyPrefix     = "sk_"
	maxKeySpaces  = 256         // namespaces of one key
	maxSecret     = 256         // bytes of a secret that Authenticate accepts
	usedPrecision = time.Minute // precision of LastUsedAt
)

// CreateAPIKey creates an API key from a copy of k, and returns the key and its
// secret: "sk_", the key's id, "_" and 260 random bits in base32. The store
// keeps only the SHA-256 of the secret, so the secret cannot be read again.
//
// Errors: ErrInvalid.
func (s *Store) CreateAPIKey(ctx context.Context, k APIKey) (key APIKey, secret string, err error) {
	k.OrganizationID = orgOrDefault(k.OrganizationID)
	err = checkContext(ctx)
	if err == nil {
		err = k.check().err()
	}
	if err != nil {
		return APIKey{}, "", &Error{Op: "CreateAPIKey", Err: err}
	}
	k.Namespaces = slices.Clone(k.Namespaces)
	k.ExpiresAt = timeFromMillis(millisFromTime(k.ExpiresAt)) // as it is stored
	k.LastUsedAt, k.extra = time.Time{}, ""
	k.ID = newULID(s.clock.Read()).String()
	secret = keyPrefix + k.ID + "_" + rand.Text() + rand.Text()
	k.hash = sha256.Sum256([]byte(secret))
	err = s.mutate(ctx, driver.Target{}, func(v driver.View) (driver.Change, error) {
		k.CreatedAt = timeFromMillis(v.Now)
		return keyChange(&k), nil
	})
	if err != nil {
		return APIKey{}, "", &Error{Op: "CreateAPIKey", Err: err}
	}
	return k, secret, nil
}

func (k *APIKey) check() *fieldError {
	if k.ID != "" {
		return refuse("key_id", "is set by the store; leave it empty")
	}
	if e := checkName("internal_id", k.OrganizationID); e != nil {
		return e
	}
	if e := checkOptional("name", k.Name); e != nil {
		return e
	}
	// The stored zero time means never.
	if !k.ExpiresAt.IsZero() && k.ExpiresAt.UnixMilli() <= 0 {
		return refuse("expires_at", "is before 1970; a later time is allowed, and the zero time for never")
	}
	if len(k.Namespaces) > maxKeySpaces {
		return refuse("namespaces", "has %d ids; at most %d are allowed", len(k.Namespaces), maxKeySpaces)
	}
	for i, id := range k.Namespaces {
		if !isNamespaceID(id) {
			return refuse("namespaces", "has at index %d what is not a namespace's id; ids of namespaces are allowed",
				i)
		}
	}
	return nil
}

func keyChange(k *APIKey) driver.Change {
	return driver.Change{Entries: []driver.Entry{{EntryKey: apiKeyKey(k.ID), Value: encodeKey(k)}}}
}

// Authenticate returns the key of a secret. It reads the store each time, so a
// revoked key is invalid at once. About once a minute it writes LastUsedAt,
// unless the store is read-only. If that write fails, for example on a full
// disk, the key is still valid.
//
// Errors: ErrNotFound if there is no such key or it has expired; ErrClosed.
func (s *Store) Authenticate(ctx context.Context, secret string) (APIKey, error) {
	k, err := s.authenticate(ctx, secret)
	if err != nil {
		return APIKey{}, &Error{Op: "Authenticate", Err: err}
	}
	return *k, nil
}

func (s *Store) authenticate(ctx context.Context, secret string) (*APIKey, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	id, _, ok := strings.Cut(strings.TrimPrefix(secret, keyPrefix), "_")
	if !ok || len(secret) > maxSecret || checkName("key", id) != nil {
		return nil, ErrNotFound
	}
	b, err := s.readEntry(ctx, apiKeyKey(id))
	if err != nil {
		return nil, err
	}
	k, err := decodeKey(b)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 0 {
		return nil, ErrNotFound
	}
	now := timeFromMillis(s.clock.Read())
	if !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
		return nil, ErrNotFound
	}
	if s.opts.ReadOnly || now.Sub(k.LastUsedAt) < usedPrecision {
		return k, nil
	}
	if err = s.markUsed(ctx, k); errors.Is(err, ErrNotFound) || errors.Is(err, ErrClosed) {
		return nil, err
	}
	return k, ctx.Err() // a full disk must not lock out every user
}

// markUsed writes LastUsedAt. If the key was revoked, it returns ErrNotFound.
func (s *Store) markUsed(ctx context.Context, k *APIKey) error {
	target := driver.Target{Entries: []driver.EntryKey{apiKeyKey(k.ID)}}
	return s.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
		if v.Entries[0] == nil {
			return driver.Change{}, ErrNotFound
		}
		stored, err := decodeKey(v.Entries[0])
		if err != nil {
			return driver.Change{}, err
		}
		if timeFromMillis(v.Now).Sub(stored.LastUsedAt) < usedPrecision {
			k.LastUsedAt = stored.LastUsedAt // another call wrote it
			return driver.Change{}, nil
		}
		k.LastUsedAt = timeFromMillis(v.Now)
		return keyChange(k), nil
	})
}

// RevokeAPIKey removes a key. The key is invalid from then on.
//
// Errors: ErrNotFound; ErrInvalid.
func (s *Store) RevokeAPIKey(ctx context.Context, id string) error {
	err := checkContext(ctx)
	if err == nil {
		err = checkName("key_id", id).err()
	}
	if err == nil {
		target := driver.Target{Entries: []driver.EntryKey{apiKeyKey(id)}}
		err = s.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
			if v.Entries[0] == nil {
				return driver.Change{}, ErrNotFound
			}
			return driver.Change{Entries: []driver.Entry{{EntryKey: apiKeyKey(id)}}}, nil
		})
	}
	return wrapStoreError("RevokeAPIKey", err)
}

// APIKeys returns an iterator over the keys of an organization, oldest first;
// "" means DefaultOrganization. It reads the keys of all organizations. The
// loop body runs with nothing locked, and may call the store. The loop ends
// after the first error.
//
// Errors: ErrInvalid.
func (s *Store) APIKeys(ctx context.Context, internalID string) iter.Seq2[APIKey, error] {
	internalID = orgOrDefault(internalID)
	return func(yield func(APIKey, error) bool) {
		if err := checkName("internal_id", internalID).err(); err != nil {
			yield(APIKey{}, &Error{Op: "APIKeys", Err: err})
			return
		}
		q := driver.EntryQuery{Kind: kindAPIKey, Limit: namespacePage}
		for {
			page, err := s.keyPage(ctx, q)
			if err != nil {
				yield(APIKey{}, &Error{Op: "APIKeys", Err: err})
				return
			}
			for _, k := range page {
				if k.OrganizationID == internalID && !yield(*k, nil) {
					return
				}
			}
			if len(page) < q.Limit {
				return
			}
			q.After = page[len(page)-1].ID
		}
	}
}

func (s *Store) keyPage(ctx context.Context, q driver.EntryQuery) ([]*APIKey, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	entries, err := s.d.Entries(ctx, q)
	if err != nil {
		return nil, err
	}
	keys := make([]*APIKey, len(entries))
	for i := range entries {
		if keys[i], err = decodeKey(entries[i].Value); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// storedFields returns pointers to the fields of a key in their stored order.
// The key's hash is read from and written to hash.
func (k *APIKey) storedFields(hash *[]byte) []any {
	return []any{
		&k.ID,
		&k.OrganizationID,
		&k.Name,
		&k.Namespaces,
		&k.ReadOnly,
		(*msgpack.Millis)(&k.CreatedAt),
		(*msgpack.Millis)(&k.ExpiresAt),
		(*msgpack.Millis)(&k.LastUsedAt),
		hash,
	}
}

func encodeKey(k *APIKey) []byte {
	hash := k.hash[:]
	return msgpack.AppendArrayOf(nil, bodyVersion, k.storedFields(&hash), k.extra)
}

func decodeKey(b []byte) (*APIKey, error) {
	k := new(APIKey)
	var hash []byte
	extra, err := readBody(string(b), k.storedFields(&hash))
	if err != nil {
		return nil, err
	}
	if len(hash) != len(k.hash) {
		return nil, outOfRange("hash")
	}
	copy(k.hash[:], hash)
	k.extra = extra
	return k, nil
}
