package drivertest

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// show prints a result of a driver. Equal values print alike, and different
// values print differently.
func show(v any) string {
	switch v := v.(type) {
	case *driver.Record:
		if v == nil {
			return "no record"
		}
		return showRecord(v)
	case []driver.Record:
		return showAll(v, showRecord)
	case []driver.Message:
		return showAll(v, showMessage)
	case []driver.Entry:
		return showAll(v, showEntry)
	case driver.Feed:
		return fmt.Sprintf("%d..%d %s", v.Tail, v.Head, showAll(v.Events, showEvent))
	case []driver.Event:
		return showAll(v, showEvent)
	case [][]byte:
		return showAll(v, showValue)
	case []byte:
		return showBytes(v)
	}
	return fmt.Sprintf("%+v", v)
}

func showAll[T any](all []T, one func(*T) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", len(all))
	for i := range all {
		b.WriteString("\n\t" + one(&all[i]))
	}
	return b.String()
}

func showRecord(r *driver.Record) string {
	return fmt.Sprintf("{%s %x v%d next=%d user=%q status=%d labels=%q created=%d active=%d due=%d expires=%d "+
		"messages=%d bytes=%d body=%s}",
		showKey(r.Key), r.Incarnation, r.Version, r.NextSeq, r.UserID, r.Status, r.Labels,
		r.Created, r.ActiveMinute, r.Due, r.Expires, r.Messages, r.Bytes, showBytes(r.Body))
}

func showKey(k driver.Key) string { return fmt.Sprintf("%d/%q", k.Namespace, k.ID) }

func showMessage(m *driver.Message) string {
	return fmt.Sprintf("{%d %q %x %s}", m.Seq, m.ID, m.Digest, showBytes(m.Body))
}

func showEntry(e *driver.Entry) string {
	return fmt.Sprintf("{%d %#x %q %q %s}", e.Namespace, e.Kind, e.Owner, e.Name, showValue(&e.Value))
}

func showEvent(e *driver.Event) string { return fmt.Sprintf("%+v", *e) }

func showValue(v *[]byte) string {
	if *v == nil {
		return "none"
	}
	return showBytes(*v)
}

// showBytes prints short values whole and long values in part.
func showBytes(b []byte) string {
	if len(b) <= 64 {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%q… (%d bytes, sum %x)", b[:16], len(b), crc32.ChecksumIEEE(b))
}
