// Command compare runs this module's suite on Seshat's session services and
// those of ADK, and prints a table of the failures.
//
//	go run ./cmd/compare              prints the table
//	go run ./cmd/compare -write       writes it to README.md
//
// Each case runs in a process of its own, because some cases end the process.
// It runs several times, because some cases depend on the timing of goroutines:
// one failure is enough.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/seshatdb/seshat/adk/adktest"
	"github.com/seshatdb/seshat/adk/internal/peers"
	"github.com/seshatdb/seshat/adk/internal/readme"
)

var (
	runs  = flag.Int("runs", 3, "runs of each case")
	limit = flag.Duration("limit", time.Minute, "time limit of one run")
	write = flag.Bool("write", false, "write the table into the README")
	file  = flag.String("readme", "README.md", "the README")
	peer  = flag.String("peer", "", "run one case of this service, and print its result as JSON")
	name  = flag.String("case", "", "the case to run")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run() error {
	if *peer != "" {
		return child()
	}
	text, err := table()
	if err != nil {
		return err
	}
	if *write {
		return readme.Replace(*file, "compare", text)
	}
	fmt.Print(text)
	return nil
}

// child runs one case.
func child() error {
	for _, p := range peers.All() {
		for _, c := range adktest.Cases() {
			if p.ID == *peer && c.Group+"/"+c.Name == *name {
				return json.NewEncoder(os.Stdout).Encode(c.Check(p.Harness(), *limit))
			}
		}
	}
	return fmt.Errorf("no case %q of %q", *name, *peer)
}

// check runs one case several times, each time in a process of its own.
func check(p peers.Peer, c adktest.Case) (r adktest.Result, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	for range *runs {
		cmd := exec.Command(self, "-peer", p.ID, "-case", c.Group+"/"+c.Name, "-limit", limit.String())
		out, err := cmd.Output()
		if err != nil || json.Unmarshal(out, &r) != nil {
			return adktest.Result{Why: "ends the process"}, nil
		}
		if !r.Passed {
			return r, nil
		}
	}
	return r, nil
}

// table runs all cases and formats the results.
func table() (string, error) {
	var head, line, body, why strings.Builder
	failed := map[string]int{}
	all := peers.All()
	for _, p := range all {
		head.WriteString(" " + p.Name + " |")
		line.WriteString(" :-: |")
	}
	for _, c := range adktest.Cases() {
		fmt.Fprintf(&body, "| %s: %s |", c.Group, c.Name)
		for _, p := range all {
			r, err := check(p, c)
			if err != nil {
				return "", err
			}
			body.WriteString(" " + mark(r) + " |")
			if !r.Passed && !r.NA {
				failed[p.ID]++
				fmt.Fprintf(&why, "- %s, %s: %s\n", p.Name, c.Name, reason(r.Why))
			}
		}
		body.WriteString("\n")
	}
	fmt.Fprintf(&body, "| **fails of %d** |", len(adktest.Cases()))
	for _, p := range all {
		fmt.Fprintf(&body, " **%d** |", failed[p.ID])
	}
	return "| |" + head.String() + "\n|---|" + line.String() + "\n" + body.String() + "\n\nFailures:\n\n" +
		why.String(), nil
}

func mark(r adktest.Result) string {
	switch {
	case r.NA:
		return "–"
	case r.Passed:
		return "yes"
	}
	return "**no**"
}

// reason is the first line of why a case failed.
func reason(why string) string {
	why, _, _ = strings.Cut(why, "\n")
	why = strings.TrimSuffix(why, " (-want +got):")
	why = strings.NewReplacer("|", `\|`, "<", "&lt;", "\u00a0", " ").Replace(why)
	if r := []rune(why); len(r) > 160 {
		why = string(r[:160]) + "…"
	}
	return why
}
