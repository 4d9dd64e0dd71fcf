package seshat

import "github.com/seshatdb/seshat/driver"

// Kinds of entries. The numbers are stored. Their high bits, KindUser and
// KindSession, say what erases them.
const (
	kindNamespace     uint8 = 0x01 // store; name: namespace id → encoded Namespace
	kindNamespaceName uint8 = 0x02 // store; owner: organization, name: namespace name → namespace id
	kindOrdinal       uint8 = 0x03 // store → last ordinal given to a namespace, big-endian
	kindAPIKey        uint8 = 0x04 // store; name: key id → encoded APIKey

	kindErasureCount uint8 = 0x06 // namespace → how often a user was erased, big-endian

	// State: name: key → a document of that key alone; and without a name
	// what the scope holds, see rules.Size.
	kindNamespaceState uint8 = 0x05                      // namespace
	kindUserState      uint8 = driver.KindUser | 0x01    // owner: user
	kindSessionState   uint8 = driver.KindSession | 0x01 // owner: incarnation

	// kindStateHistory keeps what a session's state was; owner: incarnation,
	// name: number of the newest message, big-endian, then key → as above, nil
	// in it where the key was deleted.
	kindStateHistory uint8 = driver.KindSession | 0x02
)

func namespaceKey(id string) driver.EntryKey {
	return driver.EntryKey{Kind: kindNamespace, Name: id}
}

func namespaceNameKey(internalID, name string) driver.EntryKey {
	return driver.EntryKey{Kind: kindNamespaceName, Owner: internalID, Name: name}
}

// erasuresKey is of the count that tells a copy of a user's data whether it
// may still be made: see Tenant.Fork.
func erasuresKey(ord uint64) driver.EntryKey {
	return driver.EntryKey{Namespace: ord, Kind: kindErasureCount}
}

func ordinalKey() driver.EntryKey { return driver.EntryKey{Kind: kindOrdinal} }

func apiKeyKey(id string) driver.EntryKey { return driver.EntryKey{Kind: kindAPIKey, Name: id} }
