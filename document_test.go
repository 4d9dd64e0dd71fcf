package seshat

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
)

// The binary form keeps what JSON does not, and nothing else is taken for it.
func TestBinaryDocumentsKeepTypes(t *testing.T) {
	want := map[string]any{"bytes": []byte{1}, "time": time.Unix(5, 6).UTC(), "whole": 2.0, "n": int64(2)}
	data, err := NewDocument(want).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var d Document
	if err := d.UnmarshalBinary(data); err != nil || !reflect.DeepEqual(d.Map(), want) {
		t.Errorf("%v came back as %v, %v", want, d.Map(), err)
	}
	for _, bad := range [][]byte{{0xc1}, data[:len(data)-1], append(data, 0), {0x01}} {
		if err := d.UnmarshalBinary(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%x: %v; want ErrInvalid", bad, err)
		}
	}
	if !reflect.DeepEqual(d.Map(), want) {
		t.Errorf("refused bytes changed the document to %v", d.Map())
	}
	if _, err := NewDocument(map[string]any{"f": func() {}}).MarshalBinary(); !errors.Is(err, ErrInvalid) {
		t.Errorf("a document that could not be made: %v; want ErrInvalid", err)
	}
}

// A message keeps through JSON what a repeated append is known by.
func TestDigestInJSON(t *testing.T) {
	m := Message{ID: "m", Seq: 1, Role: RoleUser, digest: [16]byte{0: 1, 15: 0xff}}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Message
	if err := json.Unmarshal(data, &back); err != nil || back.digest != m.digest {
		t.Errorf("%s came back with digest %x, %v", data, back.digest, err)
	}
	for _, bad := range []string{`{"digest":"00"}`, `{"digest":"zz"}`, `{"digest":7}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
