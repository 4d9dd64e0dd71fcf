package transfer

import (
	"context"
	"errors"
	"iter"

	"github.com/seshatdb/seshat"
)

// restoring is a session that is written while its lines are read.
type restoring struct {
	t    *seshat.Tenant
	s    *seshat.Session
	line int

	// Used only by the goroutine that reads.
	state    map[string]any
	states   uint64
	messages uint64
	batch    []seshat.Message
	size     int
	open     bool  // ready is closed
	lost     error // a batch was not delivered

	ready   chan struct{}         // closed when state is complete
	batches chan []seshat.Message // closed at the end
	err     error                 // why the session is incomplete, set before batches is closed
	done    chan struct{}         // closed when the writer takes no more batches
}

// Limits of a batch, which the reader sends to the writer.
const (
	batchMessages = 64
	batchBytes    = 256 << 10
)

// errVoid reports that the session changed during its export. It follows again
// or not at all.
var errVoid = errors.New("the session changed while it was exported")

func newRestoring(t *seshat.Tenant, s *seshat.Session, line int) *restoring {
	return &restoring{
		t: t, s: s, line: line,
		ready: make(chan struct{}), batches: make(chan []seshat.Message, 1), done: make(chan struct{}),
	}
}

func (j *restoring) takeState(values map[string]any) {
	if j.state == nil {
		j.state = map[string]any{}
	}
	for k, v := range values {
		j.state[k] = v
	}
	j.states++
}

func (j *restoring) takeMessage(ctx context.Context, m *seshat.Message) {
	j.begin()
	j.messages++
	j.batch = append(j.batch, *m)
	j.size += len(m.Content) + len(m.Payload) + len(m.ToolInputs) + len(m.ToolOutputs)
	if len(j.batch) >= batchMessages || j.size >= batchBytes {
		j.flush(ctx)
	}
}

// begin starts the writer, because the state is complete.
func (j *restoring) begin() {
	if !j.open {
		j.open = true
		close(j.ready)
	}
}

// flush sends the batch, unless the writer takes no more.
func (j *restoring) flush(ctx context.Context) {
	if len(j.batch) > 0 {
		select {
		case j.batches <- j.batch:
		case <-j.done:
		case <-ctx.Done():
			j.lost = errUnfinished
		}
	}
	j.batch = nil
	j.size = 0
}

// end closes the session; err says why it is incomplete.
func (j *restoring) end(err error) {
	j.flush(context.Background())
	if j.err = err; err == nil {
		j.err = j.lost
	}
	j.begin()
	close(j.batches)
}

// run writes the session.
func (j *restoring) run(ctx context.Context, existing Existing, sum *tally) error {
	defer close(j.done)
	if existing == Skip {
		switch _, err := j.t.Get(ctx, j.s.ID); {
		case err == nil:
			sum.add(func(r *Report) { r.Skipped++ })
			return nil
		case !errors.Is(err, seshat.ErrNotFound):
			return &LineError{Line: j.line, Err: err}
		}
	}
	<-j.ready // the reader always closes it
	s, err := j.t.Restore(ctx, seshat.Snapshot{Session: j.s, State: j.state, Messages: j.log()})
	var refused *seshat.InvalidError
	switch {
	case err == nil:
		sum.add(func(r *Report) { r.Sessions, r.Messages = r.Sessions+1, r.Messages+s.MessageCount })
		return nil
	case errors.Is(err, errVoid), errors.Is(err, errUnfinished):
		return nil
	case errors.Is(err, seshat.ErrExists) && existing == Skip: // created in the meantime
		sum.add(func(r *Report) { r.Skipped++ })
		return nil
	case errors.As(err, &refused) && refused.Field == "expires_at":
		sum.add(func(r *Report) { r.Expired++ })
		return nil
	}
	return &LineError{Line: j.line, Err: err}
}

// log returns the messages that the reader sends.
func (j *restoring) log() iter.Seq2[seshat.Message, error] {
	return func(yield func(seshat.Message, error) bool) {
		for batch := range j.batches {
			for _, m := range batch {
				if !yield(m, nil) {
					return
				}
			}
		}
		if j.err != nil {
			yield(seshat.Message{}, j.err)
		}
	}
}
