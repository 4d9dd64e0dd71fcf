package msgpack

import (
	"errors"
	"slices"
	"testing"
)

// write appends the seven elements that read knows, and extra.
func write(extra string) string {
	b := AppendFields(nil, 7, extra)
	b = AppendInt(AppendUint(b, 9), -9)
	b = AppendText(AppendBool(b, true), "text")
	b = AppendFloat(AppendBin(b, "bytes"), 0.5)
	b = AppendText(AppendText(AppendArray(b, 2), "a"), "b")
	return string(b) + extra
}

type values struct {
	u     uint64
	i     int64
	b     bool
	text  string
	bin   string
	float float64
	texts []string
}

func read(f *Fields) (v values) {
	v.u, v.i, v.b, v.text = f.Uint(), f.Int(), f.Bool(), f.Text()
	v.bin, _ = f.Bin()
	v.float, _ = f.OptFloat()
	v.texts = f.Texts(nil)
	return v
}

// Promise: elements of later versions come back as they were and are counted
// when they are written again.
func TestUnknownElementsAreKept(t *testing.T) {
	later := string(AppendInt(AppendMap(AppendText(AppendArray(nil, 1), "x"), 0), -5))
	for _, extra := range []string{"", later} {
		s := write(extra)
		f := ReadFields(s)
		read(&f)
		kept, err := f.Close()
		if err != nil || kept != extra {
			t.Fatalf("kept %q of %q: %v", kept, extra, err)
		}
		r := NewReader(write(kept))
		if n := r.Array(); n != 7+Count(extra) || write(kept) != s {
			t.Errorf("written again as %d elements, %q", n, write(kept))
		}
	}
}

// Promise: an array that ends early reads as zero values from there on.
func TestMissingElementsAreZero(t *testing.T) {
	f := ReadFields("\x90")
	v := read(&f)
	n, ok := f.OptInt()
	if _, err := f.Close(); err != nil || v.u != 0 || v.text != "" || v.texts != nil || v.b || ok || n != 0 ||
		f.Byte() != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	f = ReadFields(string(AppendInt(AppendUint(AppendArray(nil, 2), 9), -9)))
	v = read(&f)
	if _, err := f.Close(); err != nil || v.u != 9 || v.i != -9 || v.b || v.text != "" || v.float != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAllElements(t *testing.T) {
	f := ReadFields(write(""))
	v := read(&f)
	if v.u != 9 || v.i != -9 || !v.b || v.text != "text" || v.bin != "bytes" || v.float != 0.5 ||
		!slices.Equal(v.texts, []string{"a", "b"}) {
		t.Errorf("%+v", v)
	}
}

func TestNilIsAbsent(t *testing.T) {
	f := ReadFields("\x93\xc0\xc0\xc0")
	_, bin := f.Bin()
	_, float := f.OptFloat()
	_, n := f.OptInt()
	if _, err := f.Close(); bin || float || n || err != nil {
		t.Errorf("present: %v, %v, %v; %v", bin, float, n, err)
	}
}

func TestFieldsRefuse(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":            "",
		"no array":           "\x81\x01\x02",
		"something after":    write("") + "\x00",
		"cut":                write("")[:12],
		"malformed extra":    "\x98" + write("")[1:] + "\xc1",
		"fewer than it says": "\x98" + write("")[1:],
	} {
		f := ReadFields(s)
		read(&f)
		if extra, err := f.Close(); !errors.Is(err, ErrMalformed) || extra != "" {
			t.Errorf("%s: %q, %v", name, extra, err)
		}
	}
	f := ReadFields("\x91\xcd\x01\x00")
	if n := f.Byte(); n != 0 {
		t.Errorf("256 reads as %d", n)
	}
	if _, err := f.Close(); !errors.Is(err, ErrMalformed) {
		t.Errorf("256 as a byte: %v", err)
	}
	f = ReadFields("\x91\x00")
	f.Require(f.Uint() > 0)
	if _, err := f.Close(); !errors.Is(err, ErrMalformed) {
		t.Errorf("what is required and is not: %v", err)
	}
}

// Promise: runs of integers are read as one by one, of any form, where they
// end early, and where they are malformed.
func TestRunsOfIntegers(t *testing.T) {
	forms := []string{
		"\x00", "\x7f", "\xe0", "\xff", "\xcc\xff", "\xcd\x01\x02", "\xce\x80\x00\x00\x01",
		"\xcf\x00\x00\x01\x8f\x00\x00\x00\x01", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
		"\xcf\x80\x00\x00\x00\x00\x00\x00\x00",
		"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "\xd0\x80", "\xd1\x7f\xff", "\xd2\xff\xff\xff\xff",
		"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
		"\xc0", "\xa1x", "\xcf\x00", "\xcd", "",
	}
	const n = 4
	for i := range len(forms) * len(forms) {
		for _, count := range []byte{0, 1, 2, 3, 4, 5} {
			s := string([]byte{arrayLo | count}) + forms[i%len(forms)] + "\x05" + forms[i/len(forms)] +
				"\xcf\x00\x00\x00\x00\x00\x00\x00\x09"
			var ints, wantInts [n]int64
			var uints, wantUints [n]uint64
			ints[n-1], uints[n-1] = 99, 99 // of an earlier read
			a, b, c, d := ReadFields(s), ReadFields(s), ReadFields(s), ReadFields(s)
			a.Ints(ints[:])
			c.Uints(uints[:])
			for k := range n {
				wantInts[k], wantUints[k] = b.Int(), d.Uint()
			}
			if a != b || ints != wantInts {
				t.Fatalf("%q: %v and %+v, want %v and %+v", s, ints, a, wantInts, b)
			}
			if c != d || uints != wantUints {
				t.Fatalf("%q: %v and %+v, want %v and %+v", s, uints, c, wantUints, d)
			}
		}
	}
}
