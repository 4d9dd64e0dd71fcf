package format

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// newStore makes a file with the schema of Version.
func newStore(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "a.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Update(InitSchema); err != nil {
		t.Fatal(err)
	}
	return db
}

// versionOf returns the version and the number of transactions of a file.
func versionOf(t *testing.T, db *bolt.DB) (version uint64, tx int) {
	t.Helper()
	err := db.View(func(x *bolt.Tx) (err error) {
		tx = x.ID()
		version, err = ReadNumber(FormatKey, x.Bucket(BucketNames[Meta]).Get(FormatKey))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return version, tx
}

// There is one function for each step from the first version to this one.
func TestUpgradesLeadToVersion(t *testing.T) {
	if got := len(upgrades) + 1; got != Version {
		t.Errorf("the upgrades lead to version %d, this is %d", got, Version)
	}
}

// A file of an older version gets all that came since, in order and at once;
// one of this version is not written to.
func TestUpgrade(t *testing.T) {
	var ran []int
	step := func(n int, name string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			ran = append(ran, n)
			_, err := tx.CreateBucket([]byte(name))
			return err
		}
	}
	steps := []func(*bolt.Tx) error{step(1, "one"), step(2, "two")}
	db := newStore(t)
	if err := upgrade(db, steps); err != nil {
		t.Fatal(err)
	}
	version, tx := versionOf(t, db)
	if version != 3 || len(ran) != 2 || ran[0] != 1 || ran[1] != 2 {
		t.Errorf("version %d after the steps %v", version, ran)
	}
	if err := upgrade(db, steps); err != nil {
		t.Fatal(err)
	}
	if _, again := versionOf(t, db); again != tx || len(ran) != 2 {
		t.Error("a file of this version was written to")
	}
	if err := upgrade(db, append(steps, step(3, "three"))); err != nil {
		t.Fatal(err)
	}
	if version, _ := versionOf(t, db); version != 4 || len(ran) != 3 {
		t.Errorf("version %d after the steps %v", version, ran)
	}
	if err := Upgrade(db); !errors.Is(err, driver.ErrFormat) {
		t.Errorf("a newer version's file: %v, want ErrFormat", err)
	}
}

// A step that fails leaves the file as it was.
func TestUpgradeFails(t *testing.T) {
	db := newStore(t)
	broken := errors.New("broken")
	steps := []func(*bolt.Tx) error{
		func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("one")); return err },
		func(*bolt.Tx) error { return broken },
	}
	if err := upgrade(db, steps); !errors.Is(err, broken) {
		t.Errorf("%v, want the step's error", err)
	}
	if version, _ := versionOf(t, db); version != 1 {
		t.Errorf("version %d", version)
	}
	if err := db.View(CheckSchema); err != nil {
		t.Error(err)
	}
	_ = db.View(func(tx *bolt.Tx) error {
		if tx.Bucket([]byte("one")) != nil {
			t.Error("half of the steps were done")
		}
		return nil
	})
}
