package boltdriver

import (
	"context"
	"fmt"
	"os"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
)

// Problem is one thing that is wrong with the structure of a file: Page is its
// number (0 and 1 are the meta pages), Bucket the bucket ("" = the file
// itself), and What says it in words.
type Problem = fsck.Problem

// DamageError says what is wrong with the structure of a file: Problems are the
// first 50, More counts those beyond. It matches driver.ErrCorrupt.
type DamageError = fsck.DamageError

// Report is what Verify found.
type Report struct {
	Size        int64  // bytes
	Transaction uint64 // number of the last commit

	// Pages of 4096 bytes. Leaked ones are neither in use nor free: lost
	// space, not damage.
	Branches, Leaves, Free, Leaked uint64

	Keys     uint64    // in all buckets
	Problems []Problem // of the structure, the first 50
	More     int       // problems beyond those

	// Checked compares the content with itself. It is zero if the structure
	// is damaged.
	Checked driver.Checked
}

func (r *Report) add(st *fsck.Result) {
	r.Transaction = st.Meta.TxID
	r.Branches = st.Branches
	r.Leaves = st.Leaves
	r.Free = st.Free
	r.Leaked = st.Leaked
	r.Keys = st.Keys
	r.Problems = st.Problems
	r.More = st.More
}

// maxFindings bounds Report.Checked.Findings.
const maxFindings = 50

// Verify reads all of the file at path, which no process may have open for
// writing, and changes nothing: its structure with plain reads, and if that is
// sound every checksum, every index entry against its record, and the
// counters. progress, if not nil, hears how much of the structure was read, in
// bytes. Errors: driver.ErrCorrupt with the report saying what is wrong,
// ErrFormat, ErrLocked, ctx's.
func Verify(ctx context.Context, path string, progress func(done, total int64)) (Report, error) {
	f, err := dbfile.OpenReadOnly(path)
	if err != nil {
		return Report{}, err
	}
	defer f.Abandon()
	return verifyFile(ctx, f, progress)
}

// verifyFile checks all of a file that is locked for reading. See Verify.
func verifyFile(ctx context.Context, f *dbfile.File, progress func(done, total int64)) (Report, error) {
	r := Report{Size: f.Size()}
	st, err := fsck.Walk(ctx, f.Handle, f.Info.Size(), fsck.Options{Progress: progress})
	r.add(&st)
	if err != nil {
		return r, fmt.Errorf("%s: %w", f.Path, err)
	}
	d, err := Open(f.Path, Options{ReadOnly: true, SkipVerify: true, AllowNetworkFS: true})
	if err != nil {
		return r, err
	}
	defer d.Close()
	if !os.SameFile(d.file.Info, f.Info) {
		return r, fmt.Errorf("%w: %w", driver.ErrLocked, dbfile.ErrMoved)
	}
	if r.Checked, err = d.Check(ctx, maxFindings, driver.Visitor{}); err != nil {
		return r, err
	}
	if n := len(r.Checked.Findings); n > 0 {
		first := r.Checked.Findings[0]
		return r, fmt.Errorf("%w: %s: %s: %s (%d findings)", driver.ErrCorrupt, f.Path, first.Where, first.What, n)
	}
	return r, nil
}
