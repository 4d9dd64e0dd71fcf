package seshat

import (
	"context"
	"errors"
	"maps"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// UpdateOptions are the condition of an update. The zero UpdateOptions has
// none.
type UpdateOptions struct {
	// IfVersion is the version that the session must have. Otherwise the update
	// fails with a [ConflictError] and changes nothing. 0 = any version: the
	// first version of a session is 1, so no session that was read has 0.
	IfVersion uint64
}

// Update lets fn edit a copy of the session: its Name, UserMemory, Metadata,
// Labels and Lifecycle. fn runs before the write, with nothing locked, and may
// call the store. If another call changes the editable part meanwhile, fn runs
// again on the new session, up to 32 times, and then Update fails with
// ErrConflict. With IfVersion, fn runs once. Appends and touches never cause a
// conflict. If fn returns an error, Update changes nothing and returns the
// error in an [*Error].
//
// Errors: ErrConflict, see [ConflictError]; ErrQuota; ErrReadOnly; ErrNotFound,
// also if the session ended meanwhile and its id has a new session; ErrInvalid
// if fn made an edit that is not allowed.
func (t *Tenant) Update(ctx context.Context, id string, fn func(*Session) error, o UpdateOptions) (*Session, error) {
	const op = "Update"
	if fn == nil {
		return nil, t.wrapError(op, id, invalid("fn", "is nil; a function is required"))
	}
	var s *Session
	err := retry(ctx, func() (err error) {
		s, err = t.updateOnce(ctx, id, fn, o)
		return err
	})
	if err != nil {
		return nil, t.wrapError(op, id, err)
	}
	return s, nil
}

// updateOnce reads the session, edits it and commits the edit. If the caller
// named a version, a conflict is final.
func (t *Tenant) updateOnce(ctx context.Context, id string, fn func(*Session) error,
	o UpdateOptions,
) (*Session, error) {
	base, err := t.Get(ctx, id)
	if err != nil {
		return nil, unwrapError(err)
	}
	edited, err := runEdit(base, fn, o.IfVersion)
	if err != nil {
		return nil, err
	}
	s, err := t.commitEdit(ctx, base, edited, o.IfVersion != 0)
	if errors.Is(err, ErrConflict) && o.IfVersion == 0 {
		return nil, &lostRaceError{unwrapError(err)}
	}
	return s, unwrapError(err)
}

// runEdit runs fn on a copy of base, and checks its edits.
func runEdit(base *Session, fn func(*Session) error, ifVersion uint64) (*Session, error) {
	if ifVersion != 0 && base.Version != ifVersion {
		return nil, &ConflictError{Have: ifVersion, Stored: base.Version}
	}
	if !rules.Status(base.Status).Writable() {
		return nil, readOnlyError{base.Status}
	}
	edited := base.clone()
	if err := fn(edited); err != nil {
		return nil, err
	}
	if err := checkEdit(base, edited).err(); err != nil {
		return nil, err
	}
	return edited, nil
}

// checkEdit refuses illegal edits, and edits of fields that cannot be edited.
func checkEdit(base, edited *Session) *fieldError {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"session_id", base.ID == edited.ID},
		{"namespace_id", base.NamespaceID == edited.NamespaceID},
		{"internal_id", base.OrganizationID == edited.OrganizationID},
		{"user_id", base.UserID == edited.UserID},
		{"agent_config", base.Agent.equal(edited.Agent)},
		{"quotas", base.Quotas == edited.Quotas},
		{"status", base.Status == edited.Status},
		{"last_move", base.LastTransition == edited.LastTransition},
		{"message_count", base.MessageCount == edited.MessageCount},
		{"stats", base.Stats == edited.Stats},
		{"version", base.Version == edited.Version},
		{"last_seq", base.LastSeq == edited.LastSeq},
		{"parent", base.Parent == edited.Parent},
		{"memory_disabled", base.MemoryDisabled == edited.MemoryDisabled},
		{"created_at", base.CreatedAt.Equal(edited.CreatedAt)},
		{"updated_at", base.UpdatedAt.Equal(edited.UpdatedAt)},
		{"last_activity_at", base.LastActivityAt.Equal(edited.LastActivityAt)},
		{"expires_at", base.ExpiresAt.Equal(edited.ExpiresAt)},
		{"terminated_at", base.TerminatedAt.Equal(edited.TerminatedAt)},
	} {
		if !f.same {
			return refuse(f.name, "cannot be edited; session_name, user_memory, metadata, labels and lifecycle can")
		}
	}
	if e := checkSessionName(edited.Name); e != nil {
		return e
	}
	if e := checkLabels(edited.Labels); e != nil {
		return e
	}
	if e := edited.Lifecycle.check().at("lifecycle"); e != nil {
		return e
	}
	return edited.checkDocuments()
}

// commitEdit stores the editable part of edited if the session still has base's
// version. If the caller named the version and the id has a new session, the
// version means nothing, so commitEdit returns ErrNotFound.
func (t *Tenant) commitEdit(ctx context.Context, base, edited *Session, versioned bool) (*Session, error) {
	return t.writeSession(ctx, "Update", base.ID, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		if versioned && s.incarnation != base.incarnation {
			return ErrNotFound
		}
		if s.incarnation != base.incarnation || s.Version != base.Version {
			return &ConflictError{Have: base.Version, Stored: s.Version}
		}
		if edited.Name != base.Name {
			s.Name = edited.Name // otherwise keep the title of an append meanwhile
		}
		s.UserMemory = edited.UserMemory
		s.Metadata = edited.Metadata
		s.Labels = maps.Clone(edited.Labels)
		if edited.Lifecycle != base.Lifecycle {
			s.chosenLifecycle = s.chosenLifecycle.withEdits(base.Lifecycle, edited.Lifecycle)
			s.timeline.Lifecycle = c.resolve(s.chosenLifecycle)
		}
		s.Version++
		c.markWritten(eventUpdated)
		return nil
	})
}
