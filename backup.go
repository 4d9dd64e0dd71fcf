package seshat

import (
	"context"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
)

// Backup writes a copy of the store to w, beside other calls: one durable
// snapshot that holds everything acknowledged before the call, as a file that
// [Open] opens. It returns the bytes written. The caller syncs w; [Verify]
// proves the copy. While it runs the file may grow, as pages that the copy
// needs are not used again. Free pages are copied too, and so may bytes of what
// was erased: [Store.Compact] before it leaves none.
//
// errors.ErrUnsupported: the engine has no backup. ErrClosed, or the error of
// w or ctx.
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

// Compact makes the store's file smaller: it reclaims what was erased, copies
// what is in use, and puts the copy in the file's place. Other calls wait while
// it copies. Whatever happens, the file is the old one or the new one, whole.
// It returns the sizes in bytes before and after the copy. A sweep or an erasure
// that runs is waited for.
//
// errors.ErrUnsupported: the engine, or the platform, cannot. ErrUnknown: a
// loss of power decides which of the two it is. ErrReadOnly, ErrClosed, or the
// context's error.
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

// RestoreBackup makes the file at dst of the backup at src, which is verified
// whole before. Until the copy is complete and durable there is no dst.
//
// fs.ErrExist: dst is there, and is left as it is. ErrCorrupt, ErrFormat,
// ErrLocked, or the context's error.
func RestoreBackup(ctx context.Context, src, dst string) error {
	if err := checkContext(ctx); err != nil {
		return &Error{Op: "RestoreBackup", Err: err}
	}
	return wrapStoreError("RestoreBackup", boltdriver.Restore(ctx, src, dst))
}

// VerifyReport is what Verify read and found.
type VerifyReport struct {
	Size        int64  // of the file, in bytes
	Transaction uint64 // number of the last commit
	Keys        uint64 // of all kinds, index entries too

	// Pages of 4096 bytes. Leaked pages are neither in use nor free: lost
	// space, not damage.
	UsedPages, FreePages, LeakedPages uint64

	// What was compared with each other. The content is not read, and these
	// are zero, if the structure of the file is damaged.
	Sessions, Messages, Entries, Events, IndexEntries uint64

	Findings []Finding // at most 50; none = the file is sound
	More     int       // findings beyond those
}

// Verify reads all of a store's file, which no process may have open, and
// changes nothing: the structure of every page, every checksum, every index
// entry against its record, and the counters. The report says what is wrong
// if the error is ErrCorrupt.
//
// ErrCorrupt, ErrFormat, ErrLocked, or the context's error.
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
	Lost      uint64
}

// SalvageReport is what Salvage saved and lost.
type SalvageReport struct {
	Sessions, Messages, Entries, Events SalvageCount

	Findings []Finding // damage of the file's structure, at most 50
	More     int       // findings beyond those
	Scanned  bool      // pages outside of the tree were searched
}

// Salvage saves what is left of a damaged file at src into a new one at dst,
// and never changes src. Every checksum is verified, so what comes out is what
// went in once; indexes and counters are made anew. The report counts what is
// whole, uncertain and lost.
//
// fs.ErrExist: dst is there, and is left as it is. ErrFormat: src is no store.
// ErrLocked, or the context's error.
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
