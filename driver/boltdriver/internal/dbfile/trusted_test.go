package dbfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// journal is a file that notes what is done to it.
type journal struct {
	*os.File
	steps []string
	fail  string
}

var errInjected = errors.New("injected")

func (j *journal) note(step string) error {
	j.steps = append(j.steps, step)
	if step == j.fail {
		return errInjected
	}
	return nil
}

func (j *journal) WriteAt(b []byte, off int64) (int, error) {
	if err := j.note(fmt.Sprintf("write %d at %d", len(b), off)); err != nil {
		return 0, err
	}
	return j.File.WriteAt(b, off)
}

func (j *journal) Sync() error { return j.note("sync") }

// The meta page in force, and only that one, is written again unchanged and
// then synced, whichever of the two it is.
func TestReassert(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	for i := range 3 {
		db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: format.PageSize})
		if err != nil {
			t.Fatal(err)
		}
		var txid int
		err = db.Update(func(tx *bolt.Tx) error { txid = tx.ID(); return nil })
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		h, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		j := &journal{File: h}
		if err := rewriteMeta(j, j.Sync); err != nil {
			t.Error(err)
		}
		_ = h.Close()
		want := []string{fmt.Sprintf("write %d at %d", format.PageSize, txid%2*format.PageSize), "sync"}
		if !reflect.DeepEqual(j.steps, want) {
			t.Errorf("round %d: %v, want %v", i, j.steps, want)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Error("the file was changed")
		}
	}
}

// A meta page that cannot be written or synced is no ground to build on.
func TestReassertFails(t *testing.T) {
	path := newFile(t)
	h, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	first := &journal{File: h}
	if err := rewriteMeta(first, first.Sync); err != nil {
		t.Fatal(err)
	}
	for _, step := range first.steps {
		j := &journal{File: h, fail: step}
		if err := rewriteMeta(j, j.Sync); !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", step, err)
		}
	}
	if err := h.Truncate(10); err != nil {
		t.Fatal(err)
	}
	if err := rewriteMeta(h, h.Sync); !errors.Is(err, io.EOF) {
		t.Errorf("a file without meta pages: %v", err)
	}
}

// A file that was cut short is damaged; one that does not answer is not.
func TestTrustedPagesThatCannotBeRead(t *testing.T) {
	f := &File{}
	var err error
	if f.Handle, err = os.Create(filepath.Join(t.TempDir(), "a.db")); err != nil {
		t.Fatal(err)
	}
	if err := f.CheckTrusted(1); !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
	if err := f.Handle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.CheckTrusted(1); !errors.Is(err, driver.ErrFailed) || errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("%v, want ErrFailed", err)
	}
}
