package seshat

import (
	"reflect"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
)

// A public report has every field of the engine's report.
func TestReportsOfFilesAreComplete(t *testing.T) {
	problems := []boltdriver.Problem{{Page: 7, What: "is lost"}, {Page: 8, Bucket: "r", What: "is unordered"}}
	verified := newVerifyReport(&boltdriver.Report{
		Size: 1, Transaction: 2, Branches: 3, Leaves: 4, Free: 5, Leaked: 6, Keys: 7, Problems: problems, More: 8,
		Checked: driver.Checked{
			Records: 9, Messages: 10, Entries: 11, Events: 12, IndexEntries: 13,
			Findings: []driver.Finding{{Where: "s", What: "differs"}},
		},
	})
	pages := []Finding{{Where: "page 7", What: "is lost"}, {Where: `page 8, bucket "r"`, What: "is unordered"}}
	if want := (VerifyReport{
		Size: 1, Transaction: 2, UsedPages: 7, FreePages: 5, LeakedPages: 6, Keys: 7, More: 8,
		Sessions: 9, Messages: 10, Entries: 11, Events: 12, IndexEntries: 13,
		Findings: append(pages[:2:2], Finding{Where: "s", What: "differs"}),
	}); !reflect.DeepEqual(verified, want) {
		t.Errorf("verified: got %+v, want %+v", verified, want)
	}
	salvaged := newSalvageReport(&boltdriver.SalvageReport{
		Records: boltdriver.Salvaged{Whole: 1, Uncertain: 2, Lost: 3}, Messages: boltdriver.Salvaged{Whole: 4},
		Entries: boltdriver.Salvaged{Whole: 5}, Events: boltdriver.Salvaged{Whole: 6},
		Problems: problems, More: 7, Scanned: true,
	})
	if want := (SalvageReport{
		Sessions: SalvageCount{Whole: 1, Uncertain: 2, Lost: 3}, Messages: SalvageCount{Whole: 4},
		Entries: SalvageCount{Whole: 5}, Events: SalvageCount{Whole: 6},
		Findings: pages, More: 7, Scanned: true,
	}); !reflect.DeepEqual(salvaged, want) {
		t.Errorf("salvaged: got %+v, want %+v", salvaged, want)
	}
}
