package rules

import "testing"

// A size follows what is put, replaced and deleted, and comes back as it was
// written.
func TestSize(t *testing.T) {
	var n Size
	for _, x := range []struct {
		old, value string
		want       Size
	}{
		{"", "four", Size{Keys: 1, Bytes: 4}},
		{"", "six666", Size{Keys: 2, Bytes: 10}},
		{"four", "1", Size{Keys: 2, Bytes: 7}},
		{"six666", "", Size{Keys: 1, Bytes: 1}},
	} {
		n.Replace(orNil(x.old), orNil(x.value))
		if n != x.want {
			t.Errorf("%q for %q: %v, want %v", x.value, x.old, n, x.want)
		}
		if back, ok := ReadSize(n.Encode()); !ok || back != n {
			t.Errorf("%v came back as %v, %v", n, back, ok)
		}
	}
	if n, ok := ReadSize(nil); !ok || n != (Size{}) {
		t.Errorf("of nothing: %v, %v", n, ok)
	}
	if _, ok := ReadSize(make([]byte, 15)); ok {
		t.Error("15 bytes were read")
	}
}

func orNil(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}
