package seshat

import "github.com/seshatdb/seshat/driver"

// The stored numbers of the kinds of entries. Erasing a user or a session also
// erases its kinds with the bits driver.KindUser or driver.KindSession.
const (
	kindNamespace     uint8 = 0x01 // store; name: namespace id → encoded Namespace
	kindNamespaceName uint8 = 0x02 // store; owner: organization, name: namespace name → namespace id
	kindOrdinal       uint8 = 0x03 // store → last ordinal given to a namespace, big-endian
	kindAPIKey        uint8 = 0x04 // store; name: key id → encoded APIKey

	kindErasureCount uint8 = 0x06 // namespace → number of erasures of users, big-endian

	// State; name: key → a document with only that key. The entry without a
	// name holds the scope's rules.Size.
	kindNamespaceState uint8 = 0x05                      // namespace
	kindUserState      uint8 = driver.KindUser | 0x01    // owner: user
	kindSessionState   uint8 = driver.KindSession | 0x01 // owner: incarnation

	// kindStateHistory keeps the changes of a session's state; owner:
	// incarnation, name: number of the newest message, big-endian, then key → a
	// document with only that key. In it the key is nil if it was deleted.
	kindStateHistory uint8 = driver.KindSession | 0x02
)

func namespaceKey(id string) driver.EntryKey {
	return driver.EntryKey{Kind: kindNamespace, Name: id}
}

func namespaceNameKey(internalID, name string) driver.EntryKey {
	return driver.EntryKey{Kind: kindNamespaceName, Owner: internalID, Name: name}
}

// erasuresKey returns the key of the number of erasures. With that number, a
// fork detects that a user was erased while it copied.
func erasuresKey(ord uint64) driver.EntryKey {
	return driver.EntryKey{Namespace: ord, Kind: kindErasureCount}
}

func ordinalKey() driver.EntryKey { return driver.EntryKey{Kind: kindOrdinal} }

func apiKeyKey(id string) driver.EntryKey { return driver.EntryKey{Kind: kindAPIKey, Name: id} }
