// Command readme runs every command that a README shows, in a fresh clone of
// the repository, and fails if one fails or leaves the clone changed.
//
//	readme [-list] [REPOSITORY]
//
// The file .ci/readme.txt says for each command how it is run; see [plan].
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	list := flag.Bool("list", false, "print the commands and how each is run; run none")
	flag.Parse()
	repository := "."
	if flag.NArg() > 0 {
		repository = flag.Arg(0)
	}
	if err := check(repository, *list); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

func check(repository string, list bool) error {
	commands, err := findCommands(repository)
	if err != nil {
		return err
	}
	rules, err := readRules(repository + "/.ci/readme.txt")
	if err != nil {
		return err
	}
	steps, err := plan(commands, rules)
	if err != nil {
		return err
	}
	if err := checkReferences(repository, rules); err != nil {
		return err
	}
	if list {
		for _, s := range steps {
			fmt.Printf("%-24s %-60s %s\n", s.page, s.command.text, s.how)
		}
		return nil
	}
	return runSteps(repository, steps)
}
