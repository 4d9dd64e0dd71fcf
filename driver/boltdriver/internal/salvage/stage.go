package salvage

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
	bolt "go.etcd.io/bbolt"
)

// maxStored bounds the values that are looked at: no sound one is longer.
const maxStored = max(format.MaxRecord, format.MaxMessage, format.MaxEntry) + 64<<10

// outFile is a file that is written in transactions of a bounded size.
type outFile struct {
	temp *dbfile.Temp
	db   *bolt.DB
	tx   *bolt.Tx
	size int
}

// newSink makes a file with empty buckets beside path.
func newSink(path string) (*outFile, error) {
	t, err := dbfile.NewTemp(path)
	if err != nil {
		return nil, err
	}
	db, err := t.OpenEmpty()
	if err != nil {
		t.Discard()
		return nil, err
	}
	return &outFile{temp: t, db: db}, nil
}

func (s *outFile) bucket(b format.Bucket) (_ *bolt.Bucket, err error) {
	if s.tx == nil {
		if s.tx, err = s.db.Begin(true); err != nil {
			return nil, err
		}
	}
	to := s.tx.Bucket(format.BucketNames[b])
	to.FillPercent = format.FillPercent
	return to, nil
}

// put copies key and value into the file.
func (s *outFile) put(b format.Bucket, key, v []byte) error {
	to, err := s.bucket(b)
	if err != nil {
		return err
	}
	if err := to.Put(key, bytes.Clone(v)); err != nil {
		return err
	}
	if s.size += len(key) + len(v) + 64; s.size < format.CopyChunk {
		return nil
	}
	return s.flush()
}

// get returns a copy of the value at key, or nil.
func (s *outFile) get(b format.Bucket, key []byte) ([]byte, error) {
	from, err := s.bucket(b)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(from.Get(key)), nil
}

func (s *outFile) flush() error {
	tx := s.tx
	s.tx = nil
	s.size = 0
	if tx == nil {
		return nil
	}
	return tx.Commit()
}

// close flushes and closes the file. Later calls do nothing.
func (s *outFile) close() error {
	if s.db == nil {
		return nil
	}
	err := s.flush()
	if cerr := s.db.Close(); err == nil {
		err = cerr
	}
	s.db = nil
	return err
}

func bucketOf(name string) (format.Bucket, bool) {
	for b, n := range format.BucketNames {
		if string(n) == name {
			return format.Bucket(b), true
		}
	}
	return 0, false
}

// isIndex says whether what b holds is made anew from the records.
func isIndex(b format.Bucket) bool { return slices.Contains(format.IndexBuckets[:], b) }

// takeFromTree stages a value that the tree leads to.
func (s *salvager) takeFromTree(v fsck.LeafValue) error {
	b, ok := bucketOf(v.Bucket)
	switch {
	case !ok || isIndex(b) && b != format.Created:
		return nil
	case b == format.Created: // tells which records there were
		return s.stage.put(b, v.Key, nil)
	}
	var value []byte
	if v.Size <= maxStored {
		value, _ = v.Read()
	}
	if value == nil || !isSound(b, v.Key, value) {
		s.hurt[b] = true
		if b == format.Records && len(v.Key) > 8 {
			s.damaged[string(v.Key)] = true
		}
		return nil
	}
	switch {
	case b == format.Records:
		s.sound[be64(v.Key)]++
	case b == format.Meta && string(v.Key) == string(format.FormatKey):
		s.version, _ = format.ReadNumber(v.Key, value)
	}
	return s.stage.put(b, v.Key, value)
}

// isSound says whether the value is a sound one of this bucket at this key.
func isSound(b format.Bucket, key, v []byte) bool {
	var err error
	switch b {
	case format.Records:
		var h format.RecordHeader
		_, ok := format.ReadRecord(key, v, &h)
		k, named := format.ParseRecordKey(key)
		return ok && named && len(k.ID) <= driver.MaxNameBytes
	case format.Log:
		err = format.ReadMessage(key, v, new(driver.Message))
	case format.IDs:
		_, err = format.ReadMessageID(key, v)
		return err == nil && len(key) > format.LogPrefixLen
	case format.Entries:
		_, err = format.ReadEntry(key, v)
		_, named := format.ParseEntryKey(key)
		return err == nil && named
	case format.Feed:
		_, err = format.ReadEvent(key, v)
	case format.Counts:
		_, err = format.ReadCounters(key, v)
	case format.Marks:
		return fitsMark(key, v)
	case format.Meta:
		_, err = format.ReadNumber(key, v)
	}
	return err == nil
}

func fitsMark(key, v []byte) bool {
	typ, _, rest, ok := format.ParseMark(key)
	if !ok {
		return false
	}
	var err error
	switch typ {
	case format.DeadLog:
		_, err = format.ReadDead(key, v)
	case format.StagedLog:
		_, err = format.ReadStaged(key, v)
	case format.ErasedNamespace, format.ErasedUser:
		_, err = format.ReadErasure(key, v)
	case format.Hole:
		_, _, ok = format.ParseLogMark(rest)
		return ok && format.ReadBare(key, v) == nil
	}
	return err == nil
}

func (s *salvager) hash(b format.Bucket, key []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_ = h.WriteByte(byte(b))
	_, _ = h.Write(key)
	return h.Sum64()
}

// fate of a staged value.
func (s *salvager) fate(b format.Bucket, key []byte) Fate {
	if len(s.doubtful) > 0 && s.doubtful[s.hash(b, key)] {
		return Uncertain
	}
	return Whole
}
