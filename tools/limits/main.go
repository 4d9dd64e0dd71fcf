// Command limits checks what keeps this repository small and its tests honest:
// the length of files and functions, the size of the root package, and that no
// test waits on the wall clock.
//
//	limits [directory]
//
// It prints one line for each breach and exits with status 1 if there is any.
package main

import (
	"fmt"
	"os"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	report, err := check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(2)
	}
	for _, breach := range report.breaches {
		fmt.Println(breach)
	}
	fmt.Println(report.summary())
	if len(report.breaches) > 0 {
		os.Exit(1)
	}
}
