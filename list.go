package seshat

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// Order is the order of a list of sessions.
type Order uint8

// The orders of a list.
const (
	// OrderByCreation orders by (created_at, session_id). A session that exists
	// while all pages are read appears exactly once.
	OrderByCreation Order = iota

	// OrderByActivity orders by (last_activity_at, session_id), to the minute.
	// A session that is active while pages are read may be missed (newest
	// first) or appear twice (oldest first).
	OrderByActivity
)

// Bounds of a page of sessions.
const (
	MaxPage     = 1000 // largest Query.Limit, in sessions
	defaultPage = 50
)

// maxScan is the number of index entries that one page reads at most.
const maxScan = 10_000

// Query selects sessions of a tenant. The zero Query selects all of them,
// newest first by creation.
type Query struct {
	UserID   string            // sessions of this user; "" = any user
	Statuses []Status          // sessions in one of these statuses; none = any status
	Labels   map[string]string // sessions with all of these labels

	// CreatedFrom is inclusive and CreatedTo is exclusive; zero = open.
	CreatedFrom, CreatedTo time.Time

	// ActiveFrom is inclusive and ActiveTo is exclusive; zero = open. They are
	// compared with LastActivityAt by the minute.
	ActiveFrom, ActiveTo time.Time

	Order       Order // the default is OrderByCreation
	OldestFirst bool  // the default is newest first

	// Limit is the maximum number of sessions of a page, up to MaxPage. The
	// default is 50. Sessions and Count return everything, whatever Limit is.
	Limit int

	// Cursor is the NextCursor of the page before. It is valid for the same
	// tenant and the same query; only Limit may differ.
	Cursor string
}

// Page is a part of a list. Sessions come without their logs.
type Page struct {
	// Sessions belong to the caller. Up to 16 sessions of a page share one
	// allocation, and keeping one keeps them all. To keep a single session,
	// read it with [Tenant.Get].
	Sessions []*Session

	// NextCursor is the Cursor of the next page; "" = this is the last page. A
	// page with a next one may hold fewer sessions than its limit, even none,
	// because no page reads more than 10,000 index entries.
	NextCursor string

	Scanned int // index entries that were read
}

// List returns a page of the tenant's live sessions. The page is one durable
// snapshot that holds everything acknowledged before the call. An index serves
// the filter on UserID, the Order, and the range of times of that order. Other
// filters read all sessions that these leave.
//
// Errors: ErrNotFound if the namespace was deleted; ErrInvalid if a filter, the
// limit or the cursor is not allowed.
func (t *Tenant) List(ctx context.Context, q Query) (Page, error) {
	p, err := t.list(ctx, q)
	if err != nil {
		return Page{}, t.wrapError("List", "", err)
	}
	return p, nil
}

func (t *Tenant) list(ctx context.Context, q Query) (Page, error) {
	if err := checkContext(ctx); err != nil {
		return Page{}, err
	}
	dq, err := t.driverQuery(&q)
	if err != nil {
		return Page{}, err
	}
	recs := pageBuffers.Get().(*[]driver.Record)
	dq.Into = *recs
	dp, err := t.store.d.List(ctx, dq)
	if err != nil {
		return Page{}, err
	}
	defer func() {
		for i := range dp.Records {
			resetRecord(&dp.Records[i])
		}
		*recs = dp.Records[:0]
		pageBuffers.Put(recs)
	}()
	p := Page{Scanned: dp.Scanned}
	if p.Sessions, err = t.decodePage(dp.Records); err != nil {
		return Page{}, err
	}
	if dp.Next != nil {
		p.NextCursor = encodeCursor(t.queryHash(&q), *dp.Next)
	}
	if len(p.Sessions) == 0 {
		_, err = t.readNamespace(ctx) // is it empty, or deleted?
	}
	return p, err
}

// pageBuffers has buffers into which drivers read pages.
var pageBuffers = sync.Pool{New: func() any { return new([]driver.Record) }}

// pageGroup is the number of sessions of a page that share an allocation.
const pageGroup = 16

// decodePage decodes records into sessions that share no memory with them.
func (t *Tenant) decodePage(recs []driver.Record) (_ []*Session, err error) {
	out := make([]*Session, len(recs))
	var group []sessionAlloc
	for i := range recs {
		if len(group) == 0 {
			group = make([]sessionAlloc, min(pageGroup, len(recs)-i))
		}
		if out[i], err = group[0].take(&recs[i], t.id, t.organization); err != nil {
			return nil, fmt.Errorf("session %q: %w", recs[i].ID, err)
		}
		group = group[1:]
	}
	return out, nil
}

// Sessions returns an iterator over the sessions that q selects, from q.Cursor
// on. It reads pages of q.Limit sessions, each of which is a snapshot of its
// own. The loop body runs with nothing locked, and may call the store. The loop
// ends after the first error.
//
// Errors: those of [Tenant.List].
func (t *Tenant) Sessions(ctx context.Context, q Query) iter.Seq2[*Session, error] {
	return func(yield func(*Session, error) bool) {
		q := q
		for {
			p, err := t.list(ctx, q)
			if err != nil {
				yield(nil, t.wrapError("Sessions", "", err))
				return
			}
			for _, s := range p.Sessions {
				if !yield(s, nil) {
					return
				}
			}
			if q.Cursor = p.NextCursor; q.Cursor == "" {
				return
			}
		}
	}
}

// Count returns the exact number of live sessions that q selects. Expired
// sessions do not count, swept or not. Without filters, or with only Statuses,
// the store keeps the number. With a filter on UserID, Count reads each session
// of the user; with other filters, each session of the namespace.
//
// Errors: ErrNotFound if the namespace was deleted; ErrInvalid.
func (t *Tenant) Count(ctx context.Context, q Query) (uint64, error) {
	q.Cursor = ""
	if err := checkContext(ctx); err != nil {
		return 0, t.wrapError("Count", "", err)
	}
	dq, err := t.driverQuery(&q)
	if err != nil {
		return 0, t.wrapError("Count", "", err)
	}
	u, err := t.store.d.Count(ctx, dq)
	if err != nil {
		return 0, t.wrapError("Count", "", err)
	}
	n := u.Total()
	if n == 0 {
		if _, err := t.readNamespace(ctx); err != nil {
			return 0, t.wrapError("Count", "", err)
		}
	}
	return n, nil
}

// driverQuery checks q and returns it in the driver's form.
func (t *Tenant) driverQuery(q *Query) (driver.Query, error) {
	if err := q.check().err(); err != nil {
		return driver.Query{}, err
	}
	dq := driver.Query{
		Namespace: t.ordinal, Now: t.store.clock.Read(),
		UserID: q.UserID, Statuses: statusMask(q.Statuses), Labels: driverLabels(q.Labels),
		CreatedFrom: millisBound(q.CreatedFrom), CreatedTo: millisBound(q.CreatedTo),
		ActiveFrom: millisBound(q.ActiveFrom), ActiveTo: millisBound(q.ActiveTo),
		Order: driver.Order(q.Order), Desc: !q.OldestFirst, Limit: q.Limit, Scan: maxScan,
	}
	if dq.Limit == 0 {
		dq.Limit = defaultPage
	}
	if q.Cursor != "" {
		at, err := decodeCursor(t.queryHash(q), q.Cursor)
		if err != nil {
			return driver.Query{}, err
		}
		dq.After = &at
	}
	return dq, nil
}

func (q *Query) check() *fieldError {
	if e := checkOptional("user_id", q.UserID); e != nil {
		return e
	}
	if len(q.Statuses) > 2*len(statusNames) {
		return refuse("status", "has %d statuses; each is allowed once", len(q.Statuses))
	}
	for _, s := range q.Statuses {
		if e := s.check(); e != nil {
			return e
		}
	}
	if e := checkLabels(q.Labels); e != nil {
		return e
	}
	if q.Order > OrderByActivity {
		return refuse("order", "is unknown; creation, activity are allowed")
	}
	if q.Limit < 0 || q.Limit > MaxPage {
		return refuse("limit", "is %d; 1 to %d are allowed, and 0 for the default", q.Limit, MaxPage)
	}
	return nil
}

func statusMask(statuses []Status) (m uint8) {
	for _, s := range statuses {
		m |= 1 << s
	}
	return m
}

// millisBound returns one end of a range: 0 is open, and times before 1970
// become 1, which is before every session.
func millisBound(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(1, t.UnixMilli())
}

func decodeCursor(hash [8]byte, s string) (driver.Position, error) {
	at, wrong := parseCursor(hash, s)
	if wrong == "" && checkName("cursor", at.ID) != nil {
		wrong = "is damaged"
	}
	if wrong != "" {
		return driver.Position{}, invalid("cursor", "%s; use the next_cursor of a page of the same query", wrong)
	}
	return at, nil
}

// queryHash returns a hash that ties a cursor to one query of one tenant.
func (t *Tenant) queryHash(q *Query) (sum [8]byte) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q %d %q %d %d %d %d %d %v", t.id, q.UserID, statusMask(q.Statuses),
		driverLabels(q.Labels),
		millisBound(q.CreatedFrom), millisBound(q.CreatedTo), millisBound(q.ActiveFrom), millisBound(q.ActiveTo),
		q.Order, q.OldestFirst)
	copy(sum[:], h.Sum(nil))
	return sum
}

// A cursor consists of a version byte, 8 bytes of queryHash, the position as
// 8 big-endian bytes, and the session id, in base64url.
const (
	cursorVersion = 1
	cursorHeader  = 1 + 8 + 8
	maxCursor     = (cursorHeader+driver.MaxNameBytes)*4/3 + 2
)

var cursorEncoding = base64.RawURLEncoding

// encodeCursor returns the cursor of a position in the list that has this hash.
func encodeCursor(hash [8]byte, at driver.Position) string {
	b := append([]byte{cursorVersion}, hash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(at.At))
	return cursorEncoding.EncodeToString(append(b, at.ID...))
}

// parseCursor is the inverse of encodeCursor. If s is not a cursor of this
// list, wrong says why. The caller checks the session id.
func parseCursor(hash [8]byte, s string) (at driver.Position, wrong string) {
	if len(s) > maxCursor {
		return at, "is too long"
	}
	b, err := cursorEncoding.DecodeString(s)
	if err != nil || len(b) <= cursorHeader {
		return at, "is not a cursor"
	}
	if b[0] != cursorVersion {
		return at, "is of another version"
	}
	if [8]byte(b[1:9]) != hash {
		return at, "belongs to another query"
	}
	at = driver.Position{At: int64(binary.BigEndian.Uint64(b[9:])), ID: string(b[cursorHeader:])}
	if at.At < 0 {
		wrong = "is damaged"
	}
	return at, wrong
}
