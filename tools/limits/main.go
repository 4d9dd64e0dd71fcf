// Command limits checks what keeps this repository easy to read and its tests
// honest: the length of files, functions, comments and lines, packed
// assignments, comments on exported names, and that no test waits on the wall
// clock.
//
//	limits [-report] [directory]
//
// It prints one line for each breach and exits with status 1 if there is any.
// With -report it prints how many of each kind each directory has, and exits
// with status 0.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	counts := flag.Bool("report", false, "print the number of breaches by kind and directory, and do not fail")
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	r, err := check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(2)
	}
	if *counts {
		r.printCounts(os.Stdout)
		return
	}
	r.print(os.Stdout)
	if len(r.breaches) > 0 {
		os.Exit(1)
	}
}
