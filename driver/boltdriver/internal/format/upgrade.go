package format

import bolt "go.etcd.io/bbolt"

// upgrades has one function for each version of the format after the first: the
// function at i makes a file of version i+1 one of version i+2. It must find
// what it needs by itself, as later versions change what this program writes.
var upgrades []func(*bolt.Tx) error

// Upgrade makes a file of an older version one of Version, in one transaction.
// A file of Version is only read. It returns the errors of CheckSchema for a
// file that is no store, or a newer version's.
func Upgrade(db *bolt.DB) error { return upgrade(db, upgrades) }

func upgrade(db *bolt.DB, steps []func(*bolt.Tx) error) error {
	last := uint64(len(steps)) + 1
	version := last
	err := db.View(func(tx *bolt.Tx) (err error) {
		version, err = readVersion(tx, last)
		return err
	})
	if err != nil || version == last {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, step := range steps[version-1:] {
			if err := step(tx); err != nil {
				return err
			}
		}
		return tx.Bucket(BucketNames[Meta]).Put(FormatKey, AppendNumber(nil, FormatKey, last))
	})
}
