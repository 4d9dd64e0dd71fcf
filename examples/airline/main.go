// Airline imports real conversations of a customer service into a store, lets
// time pass, and prints the results and the time of each step.
//
//	go run ./examples/airline -data FILE
//
// The data is one conversation a line, in OpenAI's chat format:
//
//	{"session":"task0","user_id":"mia_li_3668","reward":1.0,"messages":[…]}
//
// Only messages is required. Sessions with a reward of 1 are archived.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "`file` of conversations in JSON lines")
	path := flag.String("db", "", "new `file` of the store (default in a temporary directory)")
	flag.Parse()
	if *data == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, *data, *path); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, data, path string) error {
	if path == "" {
		dir, err := os.MkdirTemp("", "seshat-airline-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "airline.db")
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return fmt.Errorf("%s exists", path)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	j := &job{ctx: ctx, w: w, path: path}
	if err := j.fill(data); err != nil {
		return err
	}
	return j.verify()
}

// took prints the duration of a step.
func (j *job) took(start time.Time, format string, args ...any) {
	fmt.Fprintf(j.w, "%8.1f ms  %s\n", float64(time.Since(start).Microseconds())/1000, fmt.Sprintf(format, args...))
}
