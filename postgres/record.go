package postgres

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// recordArgs returns the values of recordColumns.
func recordArgs(r *driver.Record) []any {
	return []any{
		int64(r.Namespace), r.ID, r.Incarnation[:], int64(r.Version), int64(r.NextSeq),
		textOrNull(r.UserID), int16(r.Status), encodeLabels(r.Labels), r.Created, r.ActiveMinute,
		timeOrNull(r.Due), timeOrNull(r.Expires), int64(r.Messages), int64(r.Bytes), notNull(r.Body),
	}
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timeOrNull stores driver.Never as NULL, which no index contains.
func timeOrNull(at int64) *int64 {
	if at == driver.Never {
		return nil
	}
	return &at
}

// encodeLabels encodes labels as a JSON object, or nil if there are none.
func encodeLabels(labels []driver.Label) *string {
	if len(labels) == 0 {
		return nil
	}
	m := make(map[string]string, len(labels))
	for _, l := range labels {
		m[l.Name] = l.Value
	}
	b, _ := json.Marshal(m) // a map of strings cannot fail
	s := string(b)
	return &s
}

// scanRecord scans recordColumns.
func scanRecord(row pgx.Row, r *driver.Record) error {
	var ns, version, next, messages, bytes int64
	var status int16
	var user *string
	var due, expires *int64
	var inc, labels []byte
	err := row.Scan(&ns, &r.ID, &inc, &version, &next, &user, &status, &labels,
		&r.Created, &r.ActiveMinute, &due, &expires, &messages, &bytes, &r.Body)
	if err != nil {
		return err
	}
	if len(inc) != len(r.Incarnation) || status < 0 || status >= driver.Statuses {
		return fmt.Errorf("%w: session %d/%q", driver.ErrCorrupt, ns, r.ID)
	}
	r.Namespace = uint64(ns)
	r.Incarnation = driver.Incarnation(inc)
	r.Version = uint64(version)
	r.NextSeq = uint64(next)
	r.Status = uint8(status)
	r.Messages = uint64(messages)
	r.Bytes = uint64(bytes)
	r.UserID = ""
	r.Due = driver.Never
	r.Expires = driver.Never
	if user != nil {
		r.UserID = *user
	}
	if due != nil {
		r.Due = *due
	}
	if expires != nil {
		r.Expires = *expires
	}
	return decodeLabels(labels, r)
}

func decodeLabels(object []byte, r *driver.Record) error {
	r.Labels = r.Labels[:0]
	if object == nil {
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(object, &m); err != nil {
		return fmt.Errorf("%w: labels of session %d/%q: %w", driver.ErrCorrupt, r.Namespace, r.ID, err)
	}
	for name, value := range m {
		r.Labels = append(r.Labels, driver.Label{Name: name, Value: value})
	}
	slices.SortFunc(r.Labels, func(a, b driver.Label) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// scanMessage scans seq, id, digest and body.
func scanMessage(row pgx.Row) (m driver.Message, err error) {
	var seq int64
	var digest []byte
	if err := row.Scan(&seq, &m.ID, &digest, &m.Body); err != nil {
		return m, err
	}
	if len(digest) != len(m.Digest) {
		return m, fmt.Errorf("%w: message %d", driver.ErrCorrupt, seq)
	}
	m.Seq = uint64(seq)
	m.Digest = [16]byte(digest)
	return m, nil
}
