package meta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// world is a store on which a log of calls is played.
type world struct {
	kind  variant
	dir   string
	path  string // "" = in memory
	files int
	clock time.Time
	s     *seshat.Store
}

// variant is a configuration of a world.
type variant struct {
	name     string
	file     bool
	exported bool // its stores come from exports, which omit some data
	options  func(o *seshat.Options, n int)
	every    int // number of ops between two breaks
	pause    func(*world, context.Context) error
}

var variants = []variant{
	{name: "in memory"},
	{name: "in a file", file: true},
	{name: "in a file that is opened again", file: true, every: 23, pause: (*world).reopen, options: verifyLimits},
	{name: "in a file that is compacted", file: true, every: 41, pause: (*world).compact},
	{name: "in a file restored from a backup", file: true, every: 37, pause: (*world).restore, options: maxSize},
	{name: "imported from an export", exported: true, every: 53, pause: (*world).transfer},
	{name: "imported from an export into a file", file: true, exported: true, every: 47, pause: (*world).transfer},
}

func verifyLimits(o *seshat.Options, n int) { o.File.VerifyLimit = []int64{0, -1, 1, 1 << 40}[n%4] }
func maxSize(o *seshat.Options, _ int)      { o.File.MaxSize = 1 << 30 }

func (w *world) open() (err error) {
	o := seshat.Options{
		Now: func() time.Time { return w.clock }, SweepEvery: seshat.Never, FeedEvents: 60,
		Lifecycle: seshat.Lifecycle{
			TTL: 8 * time.Minute, IdleAfter: 2 * time.Minute, ArchiveAfter: 3 * time.Minute,
			Retention: 3 * time.Minute,
		},
	}
	if w.kind.options != nil {
		w.kind.options(&o, w.files)
	}
	w.files++
	if !w.kind.file {
		w.s, err = seshat.OpenMemory(o)
		return err
	}
	w.s, err = seshat.Open(w.path, o)
	return err
}

func (w *world) newPath() string { return filepath.Join(w.dir, fmt.Sprint(w.files, ".db")) }

func (w *world) reopen(context.Context) error {
	if err := w.s.Close(); err != nil {
		return err
	}
	return w.open()
}

func (w *world) compact(ctx context.Context) error {
	_, _, err := w.s.Compact(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// restore replaces the store by a restored backup of it.
func (w *world) restore(ctx context.Context) error {
	copied := w.newPath()
	f, err := os.Create(copied + ".backup")
	if err != nil {
		return err
	}
	_, err = w.s.Backup(ctx, f)
	if err = errors.Join(err, f.Close(), w.s.Close()); err != nil {
		return err
	}
	if err := seshat.RestoreBackup(ctx, copied+".backup", copied); err != nil {
		return err
	}
	w.path = copied
	return w.open()
}

// transfer replaces the store by a new one that imported all its data.
func (w *world) transfer(ctx context.Context) error {
	var all bytes.Buffer
	old := w.s
	if _, err := transfer.ExportStore(ctx, old, &all); err != nil {
		return err
	}
	w.path = w.newPath()
	if err := w.open(); err != nil {
		return err
	}
	_, err := transfer.ImportStore(ctx, w.s, &all, transfer.Options{})
	return errors.Join(err, old.Close())
}

// play makes op n and returns its answer.
func (w *world) play(ctx context.Context, seed uint64, n int) (o op, space, answer string, err error) {
	w.clock = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 7 * time.Second)
	if w.kind.every > 0 && n%w.kind.every == w.kind.every-1 {
		if err := w.kind.pause(w, ctx); err != nil {
			return op{}, "", "", fmt.Errorf("before op %d: %w", n, err)
		}
	}
	o, space = opOf(seed, n)
	t, err := w.s.EnsureTenant(ctx, seshat.Namespace{Name: space})
	if err != nil {
		return o, space, "", err
	}
	got, err := o.do(ctx, w.s, t)
	text, bad := json.Marshal(got)
	if bad != nil {
		return o, space, "", bad
	}
	return o, space, strings.ReplaceAll(code(err)+": "+string(text), t.ID(), "(namespace)"), nil
}

// code returns the name of an error's sentinel.
func code(err error) string {
	if err == nil {
		return "ok"
	}
	for name, sentinel := range map[string]error{
		"not found": seshat.ErrNotFound, "exists": seshat.ErrExists, "conflict": seshat.ErrConflict,
		"invalid":   seshat.ErrInvalid,
		"read-only": seshat.ErrReadOnly, "quota": seshat.ErrQuota, "transition": seshat.ErrTransition,
		"lease": seshat.ErrLease, "lagged": seshat.ErrLagged,
	} {
		if errors.Is(err, sentinel) {
			return name
		}
	}
	return "unexpected " + err.Error()
}
