package format

import bolt "go.etcd.io/bbolt"

// upgrades has one function for each version of the format after the first. The
// function at index i upgrades a file from version i+1 to version i+2. It must
// not depend on code that reads or writes the current format, because later
// versions change that code.
var upgrades []func(*bolt.Tx) error

// Upgrade upgrades a file of an older version to Version, in one transaction.
// It only reads a file of Version. If the file is not a store or has a newer
// version, Upgrade returns the error that CheckSchema returns.
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
