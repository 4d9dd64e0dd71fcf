package boltdriver

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

var schemaBucket = []byte("schema")

// initSchema makes the buckets of an empty file.
func initSchema(tx *bolt.Tx) error {
	_, err := tx.CreateBucket(schemaBucket)
	return err
}

// checkSchema returns ErrFormat if the file is not one that this version knows.
func checkSchema(tx *bolt.Tx) error {
	if tx.Bucket(schemaBucket) == nil {
		return fmt.Errorf("%w: not a store", driver.ErrFormat)
	}
	return nil
}
