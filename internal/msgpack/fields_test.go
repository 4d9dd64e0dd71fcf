package msgpack

import (
	"crypto/sha256"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// everyForm has one field of each form.
type everyForm struct {
	u64     uint64
	u8      uint8
	i64     int64
	limit   Limit
	none    Limit
	text    string
	flag    bool
	bin     OptBin
	bytes   []byte
	at      Millis
	maybeAt OptMillis
	span    SpanMillis
	int     OptInt
	float   OptFloat
	texts   []string
}

func (v *everyForm) fields() []any {
	return []any{
		&v.u64, &v.u8, &v.i64, &v.limit, &v.none, &v.text, &v.flag, &v.bin, &v.bytes, &v.at, &v.maybeAt, &v.span,
		&v.int, &v.float, &v.texts,
	}
}

func newEveryForm() *everyForm {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	return &everyForm{
		u64: 300, u8: 200, i64: -9, limit: 60_000, none: NoLimit, text: "text", flag: true, bin: "bin",
		bytes: []byte{1}, at: Millis(at), maybeAt: OptMillis(at), span: SpanMillis(1500 * time.Millisecond),
		int: OptInt{-70_000, true}, float: OptFloat{0.5, true}, texts: []string{"a", "b"},
	}
}

// readArray reads what AppendArrayOf writes.
func readArray(s string, fields []any) (version uint64, extra string, err error) {
	r := NewReader(s)
	n := r.Array()
	if n == 0 {
		return 0, "", ErrMalformed
	}
	version = r.Uint()
	extra = r.Fields(n-1, fields)
	if r.Len() > 0 {
		r.fail()
	}
	return version, extra, r.Err()
}

// TestEveryFormReadsBack proves that each form reads back as it was written,
// set or absent.
func TestEveryFormReadsBack(t *testing.T) {
	for _, want := range []*everyForm{
		newEveryForm(), {none: NoLimit, limit: NoLimit}, {none: 1, limit: 1, bytes: []byte{}},
	} {
		b := AppendArrayOf(nil, 3, want.fields(), "")
		got := new(everyForm)
		version, extra, err := readArray(string(b), got.fields())
		if err != nil || version != 3 || extra != "" || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nreads back as\n%+v, %q, %v", want, got, extra, err)
		}
	}
}

// TestLaterElementsAreKept proves that elements of later versions come back as
// they were, and are counted when they are written again.
func TestLaterElementsAreKept(t *testing.T) {
	later := string(AppendInt(AppendMap(AppendText(AppendArray(nil, 1), "x"), 0), -5))
	b := string(AppendArrayOf(nil, 1, newEveryForm().fields(), later))
	got := new(everyForm)
	_, extra, err := readArray(b, got.fields())
	if err != nil || extra != later {
		t.Fatalf("kept %q of %q: %v", extra, later, err)
	}
	if again := string(AppendArrayOf(nil, 1, got.fields(), extra)); again != b {
		t.Errorf("written again as\n%q, not\n%q", again, b)
	}
}

// TestMissingElementsAreZero proves that an array that ends early leaves the
// rest of the fields zero, and limits without a bound.
func TestMissingElementsAreZero(t *testing.T) {
	fields := newEveryForm().fields()
	for n := range fields {
		var want, got everyForm
		copyTo := want.fields()
		for i := range n {
			reflect.ValueOf(copyTo[i]).Elem().Set(reflect.ValueOf(fields[i]).Elem())
		}
		for _, l := range []*Limit{&want.limit, &want.none} {
			if *l == 0 {
				*l = NoLimit
			}
		}
		_, _, err := readArray(string(AppendArrayOf(nil, 1, fields[:n], "")), got.fields())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d elements read as\n%+v, %v, not\n%+v", n, got, err, want)
		}
	}
}

// TestFieldsRefuse proves that a value of another form, a value out of range
// and a malformed array are refused.
func TestFieldsRefuse(t *testing.T) {
	v := newEveryForm()
	whole := string(AppendArrayOf(nil, 1, v.fields(), ""))
	for name, s := range map[string]string{
		"nothing": "", "no array": "\x81\x01\x02", "empty": "\x90", "something after": whole + "\x00",
		"cut": whole[:12], "fewer than it says": "\xdc\x00\x11" + whole[3:],
		"malformed extra": "\xdc\x00\x11" + whole[3:] + "\xc1",
	} {
		if _, extra, err := readArray(s, new(everyForm).fields()); !errors.Is(err, ErrMalformed) || extra != "" {
			t.Errorf("%s: %q, %v", name, extra, err)
		}
	}
	nan := string(AppendFloat(nil, math.NaN()))
	for field, values := range map[any][]string{
		new(uint64): {"\xff", "\xa0", "\xc0"}, new(uint8): {"\xcd\x01\x00", "\xff"},
		new(int64): {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"},
		new(Limit): {"\xff", "\xc0"}, new(string): {"\x01", "\xc4\x00"}, new(bool): {"\x01"}, new(OptBin): {"\xa0"},
		new([]byte): {"\xa0"}, new(Millis): {"\xc0"}, new(OptMillis): {"\xa0"},
		new(SpanMillis): {"\xcf\x40\x00\x00\x00\x00\x00\x00\x00", "\xd3\xc0\x00\x00\x00\x00\x00\x00\x00"},
		new(OptInt):     {"\xa0"}, new(OptFloat): {nan, "\x01"}, new([]string): {"\x91\x01", "\xa0"},
	} {
		for _, value := range values {
			if _, _, err := readArray("\x92\x01"+value, []any{field}); !errors.Is(err, ErrMalformed) {
				t.Errorf("%q as a %T: %v", value, field, err)
			}
		}
	}
}

// TestUnknownFieldTypePanics proves that a layout with a type that has no form
// is noticed at its first use.
func TestUnknownFieldTypePanics(t *testing.T) {
	for name, use := range map[string]func(){
		"write": func() { AppendFields(nil, []any{new(int)}) },
		"read":  func() { _, _, _ = readArray("\x92\x01\x01", []any{new(int)}) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "*int") {
					t.Errorf("%s: %v", name, p)
				}
			}()
			use()
		}()
	}
}

// TestRunsOfIntegers proves that integers of every width read as they do one by
// one, in arrays that end early or are malformed too.
func TestRunsOfIntegers(t *testing.T) {
	forms := []string{
		"\x00", "\x7f", "\xe0", "\xff", "\xcc\xff", "\xcd\x01\x02", "\xce\x80\x00\x00\x01",
		"\xcf\x00\x00\x01\x8f\x00\x00\x00\x01", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
		"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "\xd0\x80", "\xd1\x7f\xff",
		"\xd2\xff\xff\xff\xff", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "\xc0", "\xa1x", "\xcf\x00", "\xcd", "",
	}
	for i := range len(forms) * len(forms) {
		for n := range 5 {
			s := forms[i%len(forms)] + "\x05" + forms[i/len(forms)] + "\xcf\x00\x00\x00\x00\x00\x00\x00\x09"
			a, b := NewReader(s), NewReader(s)
			var ints, wantInts [4]int64
			a.Fields(n, []any{&ints[0], &ints[1], &ints[2], &ints[3]})
			for k := range n {
				wantInts[k] = b.Int()
			}
			if a != b || ints != wantInts {
				t.Fatalf("%q: %v and %+v, want %v and %+v", s, ints, a, wantInts, b)
			}
			c, d := NewReader(s), NewReader(s)
			var uints, wantUints [4]uint64
			c.Fields(n, []any{&uints[0], &uints[1], &uints[2], &uints[3]})
			for k := range n {
				wantUints[k] = d.Uint()
			}
			if c != d || uints != wantUints {
				t.Fatalf("%q: %v and %+v, want %v and %+v", s, uints, c, wantUints, d)
			}
		}
	}
}

// TestSumArray proves that the sum is that of the encoded array, with values
// that are hashed in place and values that are copied.
func TestSumArray(t *testing.T) {
	for _, size := range []int{0, 1, shortValue - 1, shortValue, shortValue + 1, 255, 256, 70_000} {
		v := newEveryForm()
		v.text = strings.Repeat("t", size)
		v.bin = OptBin(strings.Repeat("b", size))
		v.bytes = make([]byte, size)
		want := sha256.Sum256(AppendFields(AppendArray(nil, len(v.fields())), v.fields()))
		if got := SumArray(v.fields()); got != want {
			t.Errorf("texts of %d bytes: %x, want %x", size, got, want)
		}
	}
	fields := newEveryForm().fields()
	if n := testing.AllocsPerRun(100, func() { SumArray(fields) }); n > 0 {
		t.Errorf("a sum allocates %v times", n)
	}
}
