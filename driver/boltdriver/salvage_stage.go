package boltdriver

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/seshatdb/seshat/driver"
	bolt "go.etcd.io/bbolt"
)

// maxStored bounds the values that are looked at: no sound one is longer.
const maxStored = max(maxRecord, maxMessage, maxEntry) + 64<<10

// outFile is a file that is written in transactions of a bounded size.
type outFile struct {
	temp *tempFile
	db   *bolt.DB
	tx   *bolt.Tx
	size int
}

// newSink makes a file with empty buckets beside path.
func newSink(path string) (*outFile, error) {
	t, err := newTemp(path)
	if err != nil {
		return nil, err
	}
	db, err := t.engine()
	if err != nil {
		t.discard()
		return nil, err
	}
	return &outFile{temp: t, db: db}, nil
}

func (s *outFile) bucket(b bucket) (_ *bolt.Bucket, err error) {
	if s.tx == nil {
		if s.tx, err = s.db.Begin(true); err != nil {
			return nil, err
		}
	}
	to := s.tx.Bucket(bucketNames[b])
	to.FillPercent = fillPercent
	return to, nil
}

// put copies key and value into the file.
func (s *outFile) put(b bucket, key, v []byte) error {
	to, err := s.bucket(b)
	if err != nil {
		return err
	}
	if err := to.Put(key, bytes.Clone(v)); err != nil {
		return err
	}
	if s.size += len(key) + len(v) + 64; s.size < compactChunk {
		return nil
	}
	return s.flush()
}

// get returns a copy of the value at key, or nil.
func (s *outFile) get(b bucket, key []byte) ([]byte, error) {
	from, err := s.bucket(b)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(from.Get(key)), nil
}

func (s *outFile) flush() error {
	tx := s.tx
	s.tx, s.size = nil, 0
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

func bucketOf(name string) (bucket, bool) {
	for b, n := range bucketNames {
		if string(n) == name {
			return bucket(b), true
		}
	}
	return 0, false
}

// isIndex says whether what b holds is made anew from the records.
func isIndex(b bucket) bool { return slices.Contains(indexBuckets[:], b) }

// takeFromTree stages a value that the tree leads to.
func (s *salvager) takeFromTree(v leafValue) error {
	b, ok := bucketOf(v.bucket)
	switch {
	case !ok || isIndex(b) && b != bCreated:
		return nil
	case b == bCreated: // tells which records there were
		return s.stage.put(b, v.key, nil)
	}
	var value []byte
	if v.size <= maxStored {
		value, _ = v.value()
	}
	if value == nil || !isSound(b, v.key, value) {
		s.hurt[b] = true
		if b == bRecords && len(v.key) > 8 {
			s.damaged[string(v.key)] = true
		}
		return nil
	}
	switch {
	case b == bRecords:
		s.sound[be64(v.key)]++
	case b == bMeta && string(v.key) == string(metaFormat):
		s.version, _ = readNumber(v.key, value)
	}
	return s.stage.put(b, v.key, value)
}

// isSound says whether the value is a sound one of this bucket at this key.
func isSound(b bucket, key, v []byte) bool {
	var err error
	switch b {
	case bRecords:
		var h recordHeader
		_, ok := readRecord(key, v, &h)
		k, named := parseRecordKey(key)
		return ok && named && len(k.ID) <= driver.MaxName
	case bLog:
		err = readMessage(key, v, new(driver.Message))
	case bIDs:
		_, err = readRef(key, v)
		return err == nil && len(key) > logPrefixLen
	case bEntries:
		_, err = readEntry(key, v)
		_, named := parseEntryKey(key)
		return err == nil && named
	case bFeed:
		_, err = readEvent(key, v)
	case bCounters:
		_, err = readCounters(key, v)
	case bMarks:
		return fitsMark(key, v)
	case bMeta:
		_, err = readNumber(key, v)
	}
	return err == nil
}

func fitsMark(key, v []byte) bool {
	typ, _, rest, ok := parseMark(key)
	if !ok {
		return false
	}
	var err error
	switch typ {
	case markDead:
		_, err = readDead(key, v)
	case markStaged:
		_, err = readStaged(key, v)
	case markNamespace, markUser:
		_, err = readErasure(key, v)
	case markHole:
		_, _, ok = parseLogMark(rest)
		return ok && readBare(key, v) == nil
	}
	return err == nil
}

func (s *salvager) hash(b bucket, key []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_ = h.WriteByte(byte(b))
	_, _ = h.Write(key)
	return h.Sum64()
}

// fate of a staged value.
func (s *salvager) fate(b bucket, key []byte) valueFate {
	if len(s.doubtful) > 0 && s.doubtful[s.hash(b, key)] {
		return fateUncertain
	}
	return fateWhole
}
