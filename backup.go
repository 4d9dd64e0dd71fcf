package seshat

import (
	"context"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
)

// Backup writes a copy of the store to w, and returns the number of bytes
// written. Other calls continue meanwhile. The copy is one durable snapshot
// that holds everything acknowledged before the call, in a file that [Open]
// opens. The caller must sync w; [Verify] checks the copy. The file may grow
// during a backup, because pages that the copy needs are not reused. The copy
// includes free pages, which may hold erased bytes: call [Store.Compact] first
// to remove them.
//
// Errors: errors.ErrUnsupported if the engine cannot back up; ErrClosed; the
// error of w; the context's error.
func (s *Store) Backup(ctx context.Context, w io.Writer) (int64, error) {
	const op = "Backup"
	if err := checkContext(ctx); err != nil {
		return 0, &Error{Op: op, Err: err}
	}
	if w == nil {
		return 0, &Error{Op: op, Err: invalid("w", "is nil; a writer is required")}
	}
	b, ok := s.d.(driver.Backuper)
	if !ok {
		return 0, &Error{Op: op, Err: s.unsupported()}
	}
	n, err := b.Backup(ctx, w)
	return n, wrapStoreError(op, err)
}

// Compact makes the store's file smaller: it reclaims the space of erasures,
// copies the pages in use to a new file, and replaces the file. It waits for a
// running sweep or erasure, and other calls wait for the copy. After a failure
// or a crash the file is either the complete old one or the complete new one.
// Compact returns the sizes in bytes before and after the copy.
//
// Errors: errors.ErrUnsupported if the engine or the platform cannot compact;
// ErrUnknown if a loss of power may still bring the old file back; ErrReadOnly;
// ErrClosed; the context's error.
func (s *Store) Compact(ctx context.Context) (before, after int64, err error) {
	const op = "Compact"
	if err := checkContext(ctx); err != nil {
		return 0, 0, &Error{Op: op, Err: err}
	}
	c, ok := s.d.(driver.Compacter)
	if !ok {
		return 0, 0, &Error{Op: op, Err: s.unsupported()}
	}
	if err = s.reclaimAll(ctx); err == nil {
		before, after, err = c.Compact(ctx)
	}
	return before, after, wrapStoreError(op, err)
}

// RestoreBackup verifies the backup at src and copies it to a new file at dst.
// The file appears at dst when the copy is complete and durable.
//
// Errors: fs.ErrExist if there is a file at dst, which stays unchanged;
// ErrCorrupt; ErrFormat; ErrLocked; the context's error.
func RestoreBackup(ctx context.Context, src, dst string) error {
	if err := checkContext(ctx); err != nil {
		return &Error{Op: "RestoreBackup", Err: err}
	}
	return wrapStoreError("RestoreBackup", boltdriver.Restore(ctx, src, dst))
}

// VerifyReport is the result of [Verify].
type VerifyReport struct {
	Size        int64  // size of the file in bytes
	Transaction uint64 // number of the last commit
	Keys        uint64 // all keys, including keys of indexes

	// Pages of 4096 bytes. Leaked pages are neither in use nor free: lost
	// space, not damage.
	UsedPages, FreePages, LeakedPages uint64

	// The numbers of values that were read. They are zero if the structure of
	// the file is damaged, because Verify then reads no content.
	Sessions, Messages, Entries, Events, IndexEntries uint64

	Findings []Finding // at most 50; none = the file is undamaged
	More     int       // further findings
}

// Verify reads all of a store's file and changes nothing. It checks the
// structure of every page, every checksum, every index entry against its
// record, and the counters. No process may have the file open. If the error is
// ErrCorrupt, the report lists the damage.
//
// Errors: ErrCorrupt; ErrFormat; ErrLocked; the context's error.
func Verify(ctx context.Context, path string) (VerifyReport, error) {
	if err := checkContext(ctx); err != nil {
		return VerifyReport{}, &Error{Op: "Verify", Err: err}
	}
	r, err := boltdriver.Verify(ctx, path, nil)
	return newVerifyReport(&r), wrapStoreError("Verify", err)
}

func newVerifyReport(r *boltdriver.Report) VerifyReport {
	findings := findingsOfPages(r.Problems)
	for _, f := range r.Checked.Findings {
		findings = append(findings, Finding(f))
	}
	return VerifyReport{
		Size: r.Size, Transaction: r.Transaction, Keys: r.Keys,
		UsedPages: r.Branches + r.Leaves, FreePages: r.Free, LeakedPages: r.Leaked,
		Sessions: r.Checked.Records, Messages: r.Checked.Messages, Entries: r.Checked.Entries,
		Events: r.Checked.Events, IndexEntries: r.Checked.IndexEntries,
		Findings: findings, More: r.More,
	}
}

// findingsOfPages returns the engine's problems as findings.
func findingsOfPages(problems []boltdriver.Problem) []Finding {
	var out []Finding
	for _, p := range problems {
		where := fmt.Sprintf("page %d", p.Page)
		if p.Bucket != "" {
			where += fmt.Sprintf(", bucket %q", p.Bucket)
		}
		out = append(out, Finding{Where: where, What: p.What})
	}
	return out
}

// SalvageCount counts values of one kind by their fate.
type SalvageCount struct {
	Whole     uint64 // found through the file's tree, with a valid checksum
	Uncertain uint64 // with a valid checksum, on a page outside of the tree
	Lost      uint64 // damaged, or not found
}

// SalvageReport is the result of [Salvage].
type SalvageReport struct {
	Sessions SalvageCount // live and expired sessions
	Messages SalvageCount // messages
	Entries  SalvageCount // values other than sessions, messages and events
	Events   SalvageCount // events of change feeds

	Findings []Finding // damage of the file's structure, at most 50
	More     int       // further findings
	Scanned  bool      // whether pages outside of the tree were searched
}

// Salvage copies the undamaged content of the file at src to a new file at dst,
// and never changes src. It verifies every checksum, so dst has only values
// that were once written, and it rebuilds indexes and counters. The report
// counts the sessions that are whole, uncertain or lost.
//
// Errors: fs.ErrExist if there is a file at dst, which stays unchanged;
// ErrFormat if src is not a store; ErrLocked; the context's error.
func Salvage(ctx context.Context, src, dst string) (SalvageReport, error) {
	if err := checkContext(ctx); err != nil {
		return SalvageReport{}, &Error{Op: "Salvage", Err: err}
	}
	r, err := boltdriver.Salvage(ctx, src, dst, nil)
	return newSalvageReport(&r), wrapStoreError("Salvage", err)
}

func newSalvageReport(r *boltdriver.SalvageReport) SalvageReport {
	return SalvageReport{
		Sessions: SalvageCount(r.Records), Messages: SalvageCount(r.Messages),
		Entries: SalvageCount(r.Entries), Events: SalvageCount(r.Events),
		Findings: findingsOfPages(r.Problems), More: r.More, Scanned: r.Scanned,
	}
}
