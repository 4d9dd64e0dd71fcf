package sessionhttp

import (
	"strconv"
	"strings"

	"github.com/seshatdb/seshat"
)

// An entity tag is version.last_seq.created.age.messages. The first two are
// decimal and the others base 36: the time of creation in milliseconds, the
// milliseconds from there to the last change, and the number of messages. The
// last three distinguish states with equal versions: another session with the
// same id, a touch, an edit of the log.

// appendTag appends the session's entity tag without quotes.
func appendTag(b []byte, s *seshat.Session) []byte {
	created := s.CreatedAt.UnixMilli()
	b = append(strconv.AppendUint(b, s.Version, 10), '.')
	b = append(strconv.AppendUint(b, s.LastSeq, 10), '.')
	b = append(strconv.AppendInt(b, created, 36), '.')
	b = append(strconv.AppendInt(b, s.UpdatedAt.UnixMilli()-created, 36), '.')
	return strconv.AppendUint(b, s.MessageCount, 36)
}

// tag sets the ETag header and returns the tag.
func (x *exchange) tag(s *seshat.Session) string {
	var space [80]byte
	tag := string(append(appendTag(append(space[:0], '"'), s), '"'))
	x.w.Header()["Etag"] = []string{tag}
	return tag
}

// matchesNone reports whether If-None-Match allows an answer with content. It
// uses the weak comparison.
func (x *exchange) matchesNone(tag string) (bool, error) {
	given := x.r.Header.Get("If-None-Match")
	if given == "" {
		return true, nil
	}
	if given == "*" {
		return false, nil
	}
	tags, err := parseTags("If-None-Match", given)
	for _, t := range tags {
		if strings.TrimPrefix(t, "W/") == tag {
			return false, err
		}
	}
	return true, err
}

// condition is a parsed If-Match header.
type condition struct {
	any  bool // no header, or *
	tags []tagged
}

// tagged is the part of an entity tag that If-Match compares.
type tagged struct {
	version uint64
	created int64 // 0 = any
}

// ifMatch parses If-Match. A tag that no session has matches nothing.
func (x *exchange) ifMatch() (c condition, err error) {
	given := x.r.Header.Get("If-Match")
	if given == "" || given == "*" {
		return condition{any: true}, nil
	}
	tags, err := parseTags("If-Match", given)
	for _, t := range tags {
		if v, ok := parseTag(t); ok {
			c.tags = append(c.tags, v)
		}
	}
	return c, err
}

// holds reports whether the session fulfils the condition.
func (c *condition) holds(s *seshat.Session) bool {
	for _, t := range c.tags {
		if t.version == s.Version && (t.created == 0 || t.created == s.CreatedAt.UnixMilli()) {
			return true
		}
	}
	return c.any
}

// parseTags splits a list of entity tags.
func parseTags(header, s string) (tags []string, err error) {
	for s = strings.Trim(s, " \t"); ; {
		weak := strings.HasPrefix(s, "W/")
		rest, ok := strings.CutPrefix(strings.TrimPrefix(s, "W/"), `"`)
		opaque, rest, closed := strings.Cut(rest, `"`)
		if !ok || !closed {
			return nil, malformed("the header " + header + ` must be * or a list of entity tags such as "7"`)
		}
		tag := `"` + opaque + `"`
		if weak {
			tag = "W/" + tag
		}
		tags = append(tags, tag)
		if rest = strings.TrimLeft(rest, " \t"); rest == "" {
			return tags, nil
		}
		if rest[0] != ',' {
			return nil, malformed("the header " + header + " must be a list of entity tags")
		}
		s = strings.TrimLeft(rest[1:], " \t")
	}
}

// parseTag parses the entity tag of a session, or a bare version. A weak tag
// never matches.
func parseTag(tag string) (t tagged, ok bool) {
	if strings.HasPrefix(tag, "W/") {
		return t, false
	}
	parts := strings.Split(tag[1:len(tag)-1], ".")
	var err error
	if t.version, err = strconv.ParseUint(parts[0], 10, 64); err != nil {
		return t, false
	}
	switch len(parts) {
	case 1:
		return t, true
	case 5:
		t.created, err = strconv.ParseInt(parts[2], 36, 64)
		return t, err == nil && t.created != 0
	}
	return t, false
}
