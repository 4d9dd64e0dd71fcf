// Command unreached lists the returns of errors that no test takes, with the
// reasons in COVERAGE.md. With -write, it updates the list there.
//
//	unreached [-profile file] [-write]
//
// The profile is one of go test -coverprofile for all examined packages. Run
// the command in the module's directory. Without -write, it only prints the
// list, and exits with status 1 if a return has no reason.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// packages are the examined directories, relative to the repository's root.
var packages = []string{
	".", "driver", "driver/memdriver", "transfer", "driver/boltdriver",
	"driver/boltdriver/internal/format", "driver/boltdriver/internal/fsck", "driver/boltdriver/internal/dbfile",
	"driver/boltdriver/internal/salvage", "driver/boltdriver/internal/journal",
}

const (
	base = ".."
	list = "COVERAGE.md"
	head = "# Returns of errors that no test takes\n\nWritten by `go run ./unreached -write` from a coverage " +
		"profile of the root module; the reasons are by hand, and stay with the file, the function and the " +
		"text of the return.\n\n"
	frame = "| file | function | return | why |\n|---|---|---|---|\n"
)

func main() {
	profile := flag.String("profile", "../coverage.out", "of go test -coverprofile")
	write := flag.Bool("write", false, "write "+list+" anew")
	flag.Parse()
	if err := run(*profile, *write); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(profile string, write bool) error {
	text, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(list)
	if err != nil && !write {
		return err
	}
	why := reasons(string(old))
	missing := 0
	missed, taken, err := look(base, packages, blocks(string(text)))
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%d of %d such returns in %s.\n\n%s", head, len(missed), len(missed)+taken,
		strings.Join(packages, ", "), frame)
	for _, m := range missed {
		if why[m] == "" {
			missing++
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", m.file, m.function, m.text, why[m])
	}
	if write {
		return os.WriteFile(list, []byte(b.String()), 0o644)
	}
	fmt.Print(b.String())
	if missing > 0 {
		return fmt.Errorf("%d returns have no reason", missing)
	}
	return nil
}

// reasons parses the reasons of an existing list.
func reasons(old string) map[place]string {
	why := map[place]string{}
	for line := range strings.Lines(old) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) == 4 && strings.HasPrefix(cells[0], "| ") {
			at := place{strings.TrimPrefix(cells[0], "| "), cells[1], strings.Trim(cells[2], "`")}
			why[at] = strings.TrimSuffix(strings.TrimSuffix(cells[3], "|"), " ")
		}
	}
	return why
}

func sorted(places map[place]bool) []place {
	all := make([]place, 0, len(places))
	for p := range places {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b place) int {
		return strings.Compare(a.file+"\x00"+a.function+"\x00"+a.text, b.file+"\x00"+b.function+"\x00"+b.text)
	})
	return all
}
