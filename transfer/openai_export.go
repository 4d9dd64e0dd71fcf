package transfer

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/seshatdb/seshat"
)

// ExportOpenAI writes the sessions that q selects in the chat format that
// [ImportOpenAI] reads, one line each, in the order of q. Limit is the page
// size of its reads. A Payload in the chat format is written byte for byte.
// Other messages are converted, except those of role framework, which the
// format does not have. Sessions that end meanwhile are left out. Errors are
// those of the store and of w; the lines before an error are written.
func ExportOpenAI(ctx context.Context, t *seshat.Tenant, q seshat.Query, w io.Writer) (Counts, error) {
	var n Counts
	var b []byte
	out := bufio.NewWriterSize(w, 64<<10)
	for s, err := range t.Sessions(ctx, q) {
		var c conversation
		if err == nil {
			c, err = conversationOf(ctx, t, s)
		}
		if errors.Is(err, seshat.ErrNotFound) && s != nil {
			continue
		}
		if err == nil {
			b, err = c.appendLine(b[:0])
		}
		if err == nil {
			_, err = out.Write(b)
		}
		if err != nil {
			return n, errors.Join(err, out.Flush())
		}
		n.Sessions++
		n.Messages += uint64(len(c.messages))
	}
	return n, out.Flush()
}

func conversationOf(ctx context.Context, t *seshat.Tenant, s *seshat.Session) (conversation, error) {
	c := conversation{session: s.ID, user: s.UserID}
	if others, ok := s.Metadata.Map()[metadataOthers].(string); ok && isObject(others) {
		c.others = []byte(others)
	}
	for m, err := range t.Messages(ctx, s.ID, seshat.HistoryQuery{}) {
		if err != nil {
			return c, err
		}
		raw, err := writeChat(&m)
		if err != nil {
			return c, err
		}
		if raw != nil {
			c.messages = append(c.messages, raw)
		}
	}
	return c, nil
}
