package msgpack

import (
	"math"
	"reflect"
	"time"
)

// The fields of a stored array are given as a list of pointers, in the order of
// the elements. One list serves reading and writing, so it is the layout. The
// type of a pointer says the form of its element:
//
//	*uint64, *uint8, *int64, *bool, *string, *[]string
//	*[]byte      bytes of their own; nil for nil
//	*OptBin         bytes in the memory of what is read; nil for ""
//	*OptInt      integer or nil
//	*OptFloat    float or nil
//	*Millis      time as Unix milliseconds; 0 for the zero time
//	*OptMillis   the same; nil for the zero time
//	*SpanMillis  duration in milliseconds, rounded
//	*Limit       integer above 0; 0 for none
type (
	// OptBin is bytes that are kept as a string; none is nil.
	OptBin string

	// OptInt is an integer that may be absent.
	OptInt struct {
		Value int64 // 0 if absent
		Set   bool  // whether it is there
	}

	// OptFloat is a float that may be absent. NaN, which equals nothing and
	// which JSON cannot say, is refused.
	OptFloat struct {
		Value float64 // 0 if absent
		Set   bool    // whether it is there
	}

	// Millis is a time in the precision of milliseconds, read in UTC.
	Millis time.Time

	// OptMillis is a Millis that may be absent.
	OptMillis time.Time

	// SpanMillis is a duration in the precision of milliseconds.
	SpanMillis time.Duration

	// Limit is a bound that is never 0, so that 0 can stand for NoLimit, which
	// is the most common one and the longest to write.
	Limit int64
)

// NoLimit is the Limit that bounds nothing.
const NoLimit Limit = math.MaxInt64

// AppendArrayOf appends an array of a layout's version and the fields, and
// extra as Reader.Fields returned it.
func AppendArrayOf(b []byte, version uint64, fields []any, extra string) []byte {
	n := 1 + len(fields)
	if extra != "" {
		n += Count(extra)
	}
	b = AppendUint(AppendArray(b, n), version)
	return append(AppendFields(b, fields), extra...)
}

// AppendFields appends the values that the fields point at, one after the
// other.
func AppendFields(b []byte, fields []any) []byte {
	for _, field := range fields {
		switch p := field.(type) {
		case *uint64:
			if *p > posFixHi {
				b = appendSized(b, uint8c, *p)
			} else {
				b = append(b, byte(*p))
			}
		case *uint8:
			b = AppendUint(b, uint64(*p))
		case *int64:
			if uint64(*p) > posFixHi {
				b = AppendInt(b, *p)
			} else {
				b = append(b, byte(*p))
			}
		case *Limit:
			if *p == NoLimit {
				b = append(b, 0)
			} else {
				b = AppendInt(b, int64(*p))
			}
		case *string:
			b = AppendText(b, *p)
		case *bool:
			b = AppendBool(b, *p)
		case *OptBin:
			b = appendOptBin(b, *p, *p != "")
		case *[]byte:
			b = appendOptBin(b, *p, *p != nil)
		default:
			b = appendRareField(b, field)
		}
	}
	return b
}

// appendRareField appends a field of a type that a layout has once or twice.
func appendRareField(b []byte, field any) []byte {
	switch p := field.(type) {
	case *Millis:
		if at := time.Time(*p); !at.IsZero() {
			return AppendInt(b, at.UnixMilli())
		}
		return AppendInt(b, 0)
	case *OptMillis:
		if at := time.Time(*p); !at.IsZero() {
			return AppendInt(b, at.UnixMilli())
		}
	case *SpanMillis:
		return AppendInt(b, time.Duration(*p).Round(time.Millisecond).Milliseconds())
	case *OptInt:
		if p.Set {
			return AppendInt(b, p.Value)
		}
	case *OptFloat:
		if p.Set {
			return AppendFloat(b, p.Value)
		}
	case *[]string:
		b = AppendArray(b, len(*p))
		for _, s := range *p {
			b = AppendText(b, s)
		}
		return b
	default:
		panic("msgpack: no form for a field of type " + reflect.TypeOf(field).String())
	}
	return AppendNil(b)
}

func appendOptBin[T ~string | ~[]byte](b []byte, data T, set bool) []byte {
	if !set {
		return AppendNil(b)
	}
	return AppendBin(b, data)
}

// Fields reads n elements of an array into what the fields point at, which is
// zero before. An array that ends early leaves the rest of the fields zero; a
// Limit then is NoLimit. Elements behind the fields are those of a later
// version: they are returned as they are, for AppendArrayOf. A []string keeps
// to the memory that it has, if that is enough.
func (r *Reader) Fields(n int, fields []any) (extra string) {
	known := min(n, len(fields))
	// The common cases keep the place in a variable, which takes half as long.
	s := r.s
	i := r.i
	for _, field := range fields[:known] {
		switch p := field.(type) {
		case *uint64:
			if i < len(s) && s[i] <= posFixHi {
				*p = uint64(s[i])
				i++
				continue
			}
			r.i = i
			*p = r.Uint()
		case *int64:
			if i < len(s) && s[i] <= posFixHi {
				*p = int64(s[i])
				i++
				continue
			}
			if len(s)-i >= 9 && s[i] == uint64c && s[i+1] <= math.MaxInt8 {
				*p = int64(be64(s[i+1:]))
				i += 9
				continue
			}
			r.i = i
			*p = r.Int()
		case *Limit:
			if i < len(s) && s[i] == 0 {
				*p = NoLimit
				i++
				continue
			}
			r.i = i
			*p = r.limit()
		case *string:
			if i < len(s) && s[i] == strLo {
				i++
				continue
			}
			r.i = i
			*p = r.Text()
		default:
			r.i = i
			r.rareField(field)
		}
		i = r.i
	}
	r.i = i
	for _, field := range fields[known:] {
		if p, ok := field.(*Limit); ok {
			*p = NoLimit
		}
	}
	return r.skipMany(n - known)
}

// skipMany consumes n values and returns their bytes.
func (r *Reader) skipMany(n int) string {
	from := r.i
	for ; n > 0 && !r.bad; n-- {
		r.Skip()
	}
	if r.bad {
		return ""
	}
	return r.s[from:r.i]
}

// rareField reads a field of a type that a layout has once or twice.
func (r *Reader) rareField(field any) {
	switch p := field.(type) {
	case *uint8:
		n := r.Uint()
		r.require(n <= math.MaxUint8)
		*p = uint8(n)
	case *bool:
		*p = r.Bool()
	case *OptBin:
		if !r.Nil() {
			*p = OptBin(r.Bin())
		}
	case *[]byte:
		if !r.Nil() {
			*p = []byte(r.Bin())
		}
	case *Millis:
		*p = Millis(timeFromMillis(r.Int()))
	case *OptMillis:
		if !r.Nil() {
			*p = OptMillis(time.UnixMilli(r.Int()).UTC())
		}
	case *SpanMillis:
		const most = math.MaxInt64 / int64(time.Millisecond)
		ms := r.Int()
		r.require(-most <= ms && ms <= most)
		*p = SpanMillis(ms) * SpanMillis(time.Millisecond)
	case *OptInt:
		if !r.Nil() {
			*p = OptInt{Value: r.Int(), Set: true}
		}
	case *OptFloat:
		if !r.Nil() {
			*p = OptFloat{Value: r.Float(), Set: true}
			r.require(!math.IsNaN(p.Value))
		}
	case *[]string:
		*p = r.texts(*p)
	default:
		panic("msgpack: no form for a field of type " + reflect.TypeOf(field).String())
	}
}

// timeFromMillis returns the UTC time of Unix milliseconds. 0 and the largest
// number, which is a deadline that never comes, give the zero time.
func timeFromMillis(ms int64) time.Time {
	if ms == 0 || ms == math.MaxInt64 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (r *Reader) limit() Limit {
	n := r.Int()
	r.require(n >= 0)
	if n == 0 {
		return NoLimit
	}
	return Limit(n)
}

// texts reads an array of strings; none is nil.
func (r *Reader) texts(into []string) []string {
	n := r.Array()
	if n == 0 {
		return nil
	}
	if n > cap(into) {
		into = make([]string, n)
	}
	out := into[:n:n]
	for i := range out {
		out[i] = r.Text()
	}
	return out
}
