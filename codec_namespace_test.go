package seshat

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
)

// Promise: a namespace comes back as it was stored, and shares no memory with
// what it was read from.
func TestNamespaceRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		want := newRandom(seed).namespace()
		enc := encodeNamespace(nil, want)
		got, err := decodeNamespace(enc)
		clear(enc)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n%+v\ncomes back as\n%+v", seed, err, want, got)
		}
	}
}

func TestNamespaceLayoutIsTheDocumentedOne(t *testing.T) {
	for seed := range uint64(50) {
		n := newRandom(seed).namespace()
		l := n.Lifecycle
		values := []any{
			1, n.ordinal, n.ID, n.Name, n.OrganizationID, millisFromTime(n.CreatedAt), millisFromTime(n.UpdatedAt),
			int64(l.TTL), int(l.Expiry), int64(l.MaxLifetime), int64(l.IdleAfter), int64(l.ArchiveAfter),
			int64(l.Retention),
			n.Quotas.MaxSessions, n.Quotas.MaxMessages, n.Quotas.MaxBytes,
		}
		enc := encodeNamespace(nil, n)
		if want := referenceArray(t, values, true); !bytes.Equal(enc, want) {
			t.Fatalf("seed %d: the reference writes\n%x, not\n%x", seed, want, enc)
		}
		if wide, err := decodeNamespace(referenceArray(t, values, false)); err != nil || !reflect.DeepEqual(wide, n) {
			t.Fatalf("seed %d: wide integers read as %+v, %v", seed, wide, err)
		}
	}
}

func TestNamespacesOfOtherVersions(t *testing.T) {
	all := elements(t, encodeNamespace(nil, newRandom(9).namespace()))
	blank := elements(t, encodeNamespace(nil, &Namespace{}))
	for n := 1; n <= len(all); n++ {
		ns, err := decodeNamespace(array(all[:n]))
		if err != nil {
			t.Fatal(err)
		}
		if again := elements(t, encodeNamespace(nil, ns)); !slices.Equal(again, slices.Concat(all[:n], blank[n:])) {
			t.Fatalf("the first %d fields read as %q", n, again)
		}
	}
	later := append(all, "\x81\xa1k\x01", "\xc3")
	ns, err := decodeNamespace(array(later))
	if err != nil {
		t.Fatal(err)
	}
	if again := elements(t, encodeNamespace(nil, ns)); !slices.Equal(again, later) {
		t.Errorf("later fields become %q", again)
	}
	if _, err := decodeNamespace([]byte{0x92, bodyVersion + 1, 0xc1}); !errors.Is(err, ErrFormat) {
		t.Errorf("later layout: %v", err)
	}
}

func FuzzDecodeNamespace(f *testing.F) {
	for _, enc := range seeds(func(r random) []byte { return encodeNamespace(nil, r.namespace()) }) {
		f.Add(enc)
	}
	f.Add([]byte{})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, bodyVersion})
	f.Fuzz(func(t *testing.T, enc []byte) {
		n, err := decodeNamespace(enc)
		if err != nil {
			if n != nil || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Fatalf("%v, %v", n, err)
			}
			return
		}
		first := encodeNamespace(nil, n)
		again, err := decodeNamespace(first)
		if err != nil {
			t.Fatal(err)
		}
		if second := encodeNamespace(nil, again); !bytes.Equal(first, second) {
			t.Fatalf("written as %x, then as %x", first, second)
		}
	})
}
