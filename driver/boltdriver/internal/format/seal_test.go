package format

import (
	"bytes"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/seshatdb/seshat/driver"
)

// fullRecord has every field set.
func fullRecord() *driver.Record {
	return &driver.Record{
		Key:         driver.Key{Namespace: 7, ID: "ses_1"},
		Incarnation: driver.Incarnation{1, 2, 3}, Version: 4, NextSeq: 5,
		UserID: "mia", Status: 3, Labels: []driver.Label{{Name: "a", Value: ""}, {Name: "b", Value: "x"}},
		Created: -6, ActiveMinute: 7, Due: 8, Expires: driver.Never, Messages: 9, Bytes: 10,
		Body: []byte{0x93, 1, 2, 3},
	}
}

// documents are one value of each kind, with its key.
func documents() map[string][2][]byte {
	r := fullRecord()
	m := driver.Message{Seq: 5, ID: "m5", Digest: [16]byte{9}, Body: []byte("hello")}
	e := driver.Event{Position: 3, Time: 4, ID: "ses_1", Kind: 5, Status: 1, Version: 6, LastSeq: 7}
	n := Counters{Usage: driver.Usage{Messages: 1, Bytes: 2}, Head: 3, Tail: 1, Epoch: 8}
	n.Sessions[2] = 4
	rk := AppendRecordKey(nil, 7, r.ID)
	mk := AppendMessageKey(nil, 7, r.Incarnation, 5)
	ik := AppendMessageIDKey(nil, 7, r.Incarnation, "m5")
	ek := AppendEntryKey(nil, &driver.EntryKey{Namespace: 7, Kind: 1, Owner: "o", Name: "n"})
	fk, nk := AppendFeedKey(nil, 7, 3), AppendU64Key(nil, 7)
	gk := []byte("g")
	return map[string][2][]byte{
		"record":   {rk, AppendRecord(nil, rk, r, 2)},
		"message":  {mk, AppendMessage(nil, mk, &m)},
		"ref":      {ik, AppendMessageID(nil, ik, &m)},
		"entry":    {ek, AppendEntry(nil, ek, 2, []byte("value"))},
		"event":    {fk, AppendEvent(nil, fk, &e)},
		"counters": {nk, AppendCounters(nil, nk, &n)},
		"dead":     {gk, AppendDead(nil, gk, DeadMark{UserID: "mia", Erased: true})},
		"staged":   {gk, AppendStaged(nil, gk, StagedMark{Until: 4, Epoch: 2})},
		"bare":     {gk, AppendBare(nil, gk)},
		"erasure": {gk, AppendErasure(nil, gk, &ErasureMark{
			Epoch: 1, Sessions: 2, Messages: 3, Bytes: 4,
			Entries: 5,
		})},
		"number": {gk, AppendNumber(nil, gk, 77)},
	}
}

// read reads a document of a kind, as far as to say whether it is sound.
func read(kind string, key, v []byte) (err error) {
	switch kind {
	case "record":
		var h RecordHeader
		if _, ok := ReadRecord(key, v, &h); !ok {
			err = DamagedRecord(key)
		}
	case "message":
		err = ReadMessage(key, v, new(driver.Message))
	case "ref":
		_, err = ReadMessageID(key, v)
	case "entry":
		_, err = ReadEntry(key, v)
	case "event":
		_, err = ReadEvent(key, v)
	case "counters":
		_, err = ReadCounters(key, v)
	case "dead":
		_, err = ReadDead(key, v)
	case "staged":
		_, err = ReadStaged(key, v)
	case "bare":
		err = ReadBare(key, v)
	case "erasure":
		_, err = ReadErasure(key, v)
	case "number":
		_, err = ReadNumber(key, v)
	}
	return err
}

// Every value is one msgpack array that any msgpack tool reads to its end, and
// whose first element is the checksum of the key and the rest.
func TestDocumentsAreMsgpack(t *testing.T) {
	for kind, d := range documents() {
		key, v := d[0], d[1]
		in := bytes.NewReader(v)
		dec := msgpack.NewDecoder(in)
		n, err := dec.DecodeArrayLen()
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		sum, err := dec.DecodeUint32()
		if want := crc32.Checksum(append(bytes.Clone(key), v[envelopeSize:]...), castagnoli); err != nil ||
			sum != want {
			t.Errorf("%s: checksum %x, want %x, %v", kind, sum, want, err)
		}
		for range n - 1 {
			if _, err := dec.DecodeInterface(); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if in.Len() != 0 {
			t.Errorf("%s: %d bytes are left", kind, in.Len())
		}
		if err := read(kind, key, v); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A record's elements are what DESIGN says, read by somebody else's decoder.
func TestRecordElements(t *testing.T) {
	r := fullRecord()
	var got []any
	if err := msgpack.Unmarshal(documents()["record"][1], &got); err != nil {
		t.Fatal(err)
	}
	want := []any{
		uint8(3), r.Incarnation[:], uint64(4), uint64(5), int64(-6), int64(7), int64(8), driver.Never,
		uint64(9), uint64(10), uint64(2), "mia",
		map[string]any{"a": "", "b": "x"},
		r.Body,
	}
	if !reflect.DeepEqual(got[2:], want) {
		t.Errorf("got  %#v\nwant %#v", got[2:], want)
	}
}

// Whatever bit of a value or its key flips, the value is refused.
func TestEveryFlippedBitIsNoticed(t *testing.T) {
	for kind, d := range documents() {
		for i := range d {
			for bit := range 8 * len(d[i]) {
				key, v := bytes.Clone(d[0]), bytes.Clone(d[1])
				[2][]byte{key, v}[i][bit/8] ^= 1 << (bit % 8)
				if err := read(kind, key, v); !errors.Is(err, driver.ErrCorrupt) {
					t.Errorf("%s: bit %d of part %d: %v", kind, bit, i, err)
				}
			}
		}
		for n := range len(d[1]) {
			if n > 0 && read(kind, d[0], d[1][:n]) == nil {
				t.Errorf("%s: cut to %d bytes and not noticed", kind, n)
			}
		}
	}
}

// A header that lies is noticed without reading the body.
func TestEveryFlippedHeaderBitIsNoticed(t *testing.T) {
	d := documents()["record"]
	var h RecordHeader
	if !ReadHeader(d[0], d[1], &h) {
		t.Fatal("a sound header is refused")
	}
	end := h.End
	for bit := 8 * envelopeSize; bit < 8*end; bit++ {
		v := bytes.Clone(d[1])
		v[bit/8] ^= 1 << (bit % 8)
		if ReadHeader(d[0], v, &h) {
			t.Errorf("bit %d of the header flipped and not noticed", bit)
		}
	}
}

// A newer version may add elements at the end; this one reads what it knows.
func TestUnknownElementsAreTolerated(t *testing.T) {
	extra, err := msgpack.Marshal([]any{"new", map[string]any{"x": 1.5}, nil, []byte("b")})
	if err != nil {
		t.Fatal(err)
	}
	for kind, d := range documents() {
		v := append(bytes.Clone(d[1]), extra...)
		v[2]++
		seal(d[0], v)
		if err := read(kind, d[0], v); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		v = append(v, 0xc0)
		seal(d[0], v)
		if err := read(kind, d[0], v); !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("%s with a byte too much: %v", kind, err)
		}
	}
}

// A record comes back as it was put, into memory that is used again.
func TestRecordRoundTrip(t *testing.T) {
	want := fullRecord()
	d := documents()["record"]
	into := driver.Record{Key: want.Key}
	for range 2 {
		var h RecordHeader
		body, ok := ReadRecord(d[0], d[1], &h)
		if !ok {
			t.Fatal("refused")
		}
		h.DecodeInto(&into, body)
		if !reflect.DeepEqual(&into, want) {
			t.Errorf("got  %+v\nwant %+v", into, want)
		}
	}
	if n := len(d[1]); n != RecordSize(want) {
		t.Errorf("%d bytes, announced %d", n, RecordSize(want))
	}
}
