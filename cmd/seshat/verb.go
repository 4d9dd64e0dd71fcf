package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// operate opens the store, runs fn on it, and closes it.
func (a *app) operate(c *cobra.Command, verb string, create bool, fn func(context.Context, operator) error) error {
	o, err := a.operator(c.Context(), verb, create)
	if err != nil {
		return err
	}
	return finish(fn(c.Context(), o), o)
}

// converse opens a namespace, runs fn on it, and closes it.
func (a *app) converse(c *cobra.Command, fn func(context.Context, sessions) error) error {
	s, err := a.sessions(c.Context())
	if err != nil {
		return err
	}
	return finish(fn(c.Context(), s), s)
}

// finish closes c and returns the first error.
func finish(err error, c io.Closer) error {
	if e := c.Close(); err == nil {
		err = e
	}
	return err
}

// confirm asks before a verb that cannot be undone. Without a terminal, it
// requires --yes.
func (a *app) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if _, ok := terminal(a.in); !ok {
		return usagef("this cannot be undone: give --yes")
	}
	fmt.Fprint(a.err, printable(question), " [y/N] ")
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("not done")
	}
	return nil
}
