package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"

	"github.com/seshatdb/seshat"
)

// errEnough ends a stream because the client needs no more frames.
var errEnough = errors.New("enough")

// Watch returns the events after position since, and then new ones. If wait is
// false, it stops at the event that was the newest at the start.
func (r *remote) Watch(ctx context.Context, since uint64, wait bool) iter.Seq2[seshat.Event, error] {
	return func(yield func(seshat.Event, error) bool) {
		end := uint64(0)
		if !wait {
			head, err := r.head(ctx)
			if err == nil && since > head {
				err = usagef("--since: the newest event is %d", head)
			}
			if err != nil {
				yield(seshat.Event{}, err)
			}
			if err != nil || since == head {
				return
			}
			end = head
		}
		err := r.stream(ctx, &since, func(f frame) error {
			var e seshat.Event
			if err := json.Unmarshal(f.data, &e); err != nil {
				return err
			}
			if !yield(e, nil) || e.Position == end {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			yield(seshat.Event{}, err)
		}
	}
}

// head returns the position of the newest event.
func (r *remote) head(ctx context.Context) (head uint64, err error) {
	err = r.stream(ctx, nil, func(f frame) error {
		if f.event != "open" {
			return fmt.Errorf("the stream begins with %q", f.event)
		}
		head, err = strconv.ParseUint(f.id, 10, 64)
		return errors.Join(err, errEnough)
	})
	if errors.Is(err, errEnough) {
		return head, nil
	}
	return head, err
}

// frame is one server-sent event.
type frame struct {
	event, id string
	data      []byte
}

// stream calls fn for each frame of a watch until fn returns an error or the
// server ends the watch. It skips the opening frame unless since is nil.
func (r *remote) stream(ctx context.Context, since *uint64, fn func(frame) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := request{method: http.MethodGet, path: sessionsPath + "/watch"}
	if since != nil {
		q.header = map[string]string{"Last-Event-ID": strconv.FormatUint(*since, 10)}
	}
	res, err := r.do(ctx, q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return readProblem(res)
	}
	in := bufio.NewReader(res.Body)
	for {
		f, err := readFrame(in)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return errors.New("the server ended the watch")
		case err != nil:
			return err
		case f.event == "error":
			return frameProblem(f)
		case f.event == "open" && since != nil:
			continue
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

func frameProblem(f frame) error {
	p := &problem{}
	if err := json.Unmarshal(f.data, p); err != nil {
		return err
	}
	return p
}

// readFrame reads the next frame that is not empty.
func readFrame(in *bufio.Reader) (f frame, err error) {
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return f, err
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			f.event = string(value)
		case "id":
			f.id = string(value)
		case "data":
			f.data = append(f.data, value...)
		}
		if len(line) == 0 && f.event != "" {
			return f, nil
		}
	}
}
