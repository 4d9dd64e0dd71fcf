package boltdriver

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// callers returns the functions of the package that call a function or a method
// of that name, or "package.Name", with that many arguments (-1: any number),
// as "file function", each as often as it does.
func callers(t *testing.T, name string, args int) (found []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok && calls(c, name) && (args < 0 || len(c.Args) == args) {
					found = append(found, file+" "+fn.Name.Name)
				}
				return true
			})
		}
	}
	slices.Sort(found)
	return found
}

func calls(c *ast.CallExpr, name string) bool {
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		of, _ := f.X.(*ast.Ident)
		return f.Sel.Name == name || of != nil && of.Name+"."+f.Sel.Name == name
	case *ast.Ident:
		return f.Name == name
	}
	return false
}

func wantCallers(t *testing.T, name string, args int, want ...string) {
	t.Helper()
	if got := callers(t, name, args); !slices.Equal(got, want) {
		t.Errorf("%s is called by %q, want %q", name, got, want)
	}
}

// The cursor of view.go is the only one that reads the engine's keys, so that a
// journal has one place to merge what the engine does not have yet. What reads
// past it is a copy of the whole file, the list of free pages, or a number of a
// transaction.
func TestReadsGoThroughTheCursor(t *testing.T) {
	wantCallers(t, "Cursor", 0, "view.go cursor")
	wantCallers(t, "Bucket", 1, "view.go bucket")
	wantCallers(t, "bucket", 1, "batch.go flush", "view.go cursor")
	wantCallers(t, "ForEach", -1)
	wantCallers(t, "View", -1)
	wantCallers(t, "Begin", 1, "batch.go open", "call.go newestTx", "commit.go extent", "snapshot.go newSnapshot")
	wantCallers(t, "WriteTo", 1, "backup.go Backup")
	wantCallers(t, "CompactCopy", 2, "compact.go Compact")
}

// One function writes a batch into a transaction.
func TestBatchesAreWrittenInOnePlace(t *testing.T) {
	wantCallers(t, "Write", 2, "batch.go flush")
	wantCallers(t, "Delete", 1)
	wantCallers(t, "Put", 2)
	wantCallers(t, "Update", -1)
}

// These functions write a part of a batch early, because they read ranges of
// keys that the batch changed. A journal must merge such reads with the overlay
// first: whatever is written early is no longer in the overlay that finish
// sees.
func TestEarlyFlushesAreKnown(t *testing.T) {
	got := slices.Compact(callers(t, "flush", -1))
	got = slices.DeleteFunc(got, func(in string) bool { return strings.HasPrefix(in, "gather.go ") }) // of pages
	want := []string{
		"commit.go finish",
		"logedit.go deleteOwned", "logedit.go drop", "logedit.go follows", "logedit.go inUse", "logedit.go replace",
		"plan.go fetchSpan", "plan.go fetchUsage", "plan.go holes", "plan.go liveUsage",
		"reclaim.go run", "reclaim_erased.go erase",
	}
	if !slices.Equal(got, want) {
		t.Errorf("flush is called by %q, want %q", got, want)
	}
}

// Every commit ends in finish, which is where the journal goes.
func TestCommitsEndInFinish(t *testing.T) {
	wantCallers(t, "finish", 0, "load.go load", "reclaim.go reclaim", "writer.go commitBatch")
	wantCallers(t, "commitTx", 0, "commit.go finish")
	wantCallers(t, "commit", 1, "commit.go commitTx")
	wantCallers(t, "advance", 0, "commit.go commitTx")
}

// The mark of what is durable counts commits since the file was opened. The
// engine's transaction numbers begin anew when the file is compacted; the count
// goes on.
func TestDurableMarkCountsCommits(t *testing.T) {
	d := openCore(t, Options{})
	write := func(id string) {
		t.Helper()
		r := session(1, id, "")
		do(t, d, opOf(r.Key, driver.Change{Put: r}))
	}
	count := func(want int64) {
		t.Helper()
		if got := d.durable.commits.Load(); got != want {
			t.Errorf("%d commits, want %d", got, want)
		}
		if got := d.newestTx(); got != d.durableTx() {
			t.Errorf("the engine is at transaction %d, the mark at %d", got, d.durableTx())
		}
	}
	count(0)
	write("a")
	write("b")
	count(2)
	failed := opPlan(driver.Target{}, func(driver.View) (driver.Change, error) {
		return driver.Change{}, driver.ErrNotFound
	})
	if err := d.Mutate(background, failed); err == nil {
		t.Error("the plan's error was dropped")
	}
	count(2)
	before := d.newestTx()
	if _, _, err := d.Compact(background); err != nil {
		t.Skip(err)
	}
	if d.newestTx() == before {
		t.Error("compaction kept the engine's number: this test shows nothing")
	}
	count(2)
	write("c")
	count(3)
	if !exists(t, d, driver.Key{Namespace: 1, ID: "c"}) {
		t.Error("what was committed after the compaction is not there")
	}
}

// The driver looks at no file by its path: which files a store consists of is
// dbfile's to say.
func TestFilesAreListedByDbfile(t *testing.T) {
	for _, name := range []string{"Lstat", "Stat", "Open", "OpenFile", "Create", "Remove", "Rename", "Link"} {
		wantCallers(t, "os."+name, -1)
	}
	wantCallers(t, "CheckAbsent", 2, "backup.go Restore", "salvage.go Salvage")
}

// What a snapshot carries is immutable: internal/journal promises it for tables
// of an overlay, and pending erasures keep to it.
func TestSnapshotsCarryWhatIsImmutable(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("internal", "journal", "doc.go"))
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.ReplaceAll(doc, []byte("\n//"), nil)
	if !bytes.Contains(text, []byte("Once a snapshot carries a table of an overlay")) ||
		!bytes.Contains(text, []byte("that table is immutable")) {
		t.Error("internal/journal/doc.go does not say who owns what")
	}
	d := openCore(t, Options{})
	erase := func(user string) {
		t.Helper()
		e := driver.Erasure{Namespace: 1, UserID: user}
		do(t, d, opOf(driver.Key{}, driver.Change{Erase: &e}))
	}
	erase("mia")
	s, err := d.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer d.release(s)
	erase("tom")
	if n := len(s.erased[1].Users); n != 1 {
		t.Errorf("a snapshot of one erasure now carries %d", n)
	}
	later, err := d.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer d.release(later)
	if n := len(later.erased[1].Users); n != 2 {
		t.Errorf("the snapshot after it carries %d erasures, want 2", n)
	}
}
