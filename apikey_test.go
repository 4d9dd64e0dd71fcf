package seshat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// Promise: Authenticate returns the key as it was created.
func TestKeyComesBack(t *testing.T) {
	s := seshattest.Open(t)
	acme := keyTenant(t, s.Store, seshat.Namespace{OrganizationID: "int_a", Name: "acme"})
	other := keyTenant(t, s.Store, seshat.Namespace{OrganizationID: "int_a", Name: "other"})
	foreign := keyTenant(t, s.Store, seshat.Namespace{OrganizationID: "int_b", Name: "acme"})
	want := seshat.APIKey{
		OrganizationID: "int_a", Name: "ci", Namespaces: []string{acme.ID()}, ReadOnly: true,
		ExpiresAt: seshattest.Start.Add(time.Hour + time.Microsecond).In(time.FixedZone("", 3600)),
	}
	made, secret, err := s.CreateAPIKey(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	want.Namespaces[0] = "changed" // the store has its own copy
	if made.ExpiresAt != seshattest.Start.Add(time.Hour) || made.CreatedAt != seshattest.Start ||
		!made.LastUsedAt.IsZero() {
		t.Errorf("made %+v", made)
	}
	got, err := s.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != made.ID || got.Name != "ci" || !got.ReadOnly || got.ExpiresAt != made.ExpiresAt ||
		got.OrganizationID != "int_a" ||
		!slices.Equal(got.Namespaces, []string{acme.ID()}) || got.LastUsedAt != seshattest.Start {
		t.Errorf("got %+v, made %+v", got, made)
	}
	if !got.Allows(acme) || got.Allows(other) || got.Allows(foreign) {
		t.Error("it opens another namespace than its own")
	}
	all := seshat.APIKey{OrganizationID: "int_a"}
	if !all.Allows(acme) || !all.Allows(other) || all.Allows(foreign) {
		t.Error("a key without namespaces opens all of its organization, and nothing else")
	}
}

func keyTenant(t *testing.T, s *seshat.Store, n seshat.Namespace) *seshat.Tenant {
	t.Helper()
	tenant, err := s.EnsureTenant(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// Promise: a secret has at least 160 random bits, and no two are alike.
func TestSecretsAreRandom(t *testing.T) {
	s := seshattest.Open(t)
	seen := map[string]bool{}
	for range 100 {
		k, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
		if err != nil {
			t.Fatal(err)
		}
		random, ok := strings.CutPrefix(secret, "sk_"+k.ID+"_")
		if !ok || len(random)*5 < 160 || seen[random] {
			t.Fatalf("%d characters are random, or known", len(random))
		}
		seen[random] = true
	}
}

// Promise: only the complete secret of a key is accepted, and the errors for an
// unknown key and for a wrong secret are the same.
func TestOnlyTheWholeSecretOpens(t *testing.T) {
	s := seshattest.Open(t)
	k, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{
		"", "sk_", "sk__", "_", secret + "x", secret[:len(secret)-1], strings.TrimPrefix(secret, "sk_"),
		strings.ToLower(secret),
		"sk_" + k.ID + "_", "sk_" + k.ID, "sk_" + k.ID + other[strings.LastIndex(other, "_"):], " " + secret,
		secret + "\x00",
		strings.Repeat("sk_", 1000), "sk_\x00_x", "sk_\xff_x",
	} {
		if got, err := s.Authenticate(t.Context(), wrong); !errors.Is(err, seshat.ErrNotFound) || got.ID != "" {
			t.Errorf("%.20q: got %v, %v; want ErrNotFound", wrong, got.ID, err)
		}
	}
}

// Promise: the file contains only a hash of a secret, never its random part.
func TestSecretIsNotStored(t *testing.T) {
	s := seshattest.OpenFile(t)
	_, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{Name: "a name that is stored"})
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	go func() {
		_, err := s.Driver().(driver.Backuper).Backup(context.Background(), w)
		w.CloseWithError(err)
	}()
	file, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file, []byte("a name that is stored")) {
		t.Fatal("the key is not in the file")
	}
	random := secret[strings.LastIndex(secret, "_")+1:]
	if bytes.Contains(file, []byte(random)) || bytes.Contains(file, []byte(random[:26])) {
		t.Error("the secret is in the file")
	}
}

// Promise: a key ends at its deadline, to the millisecond, or when it is
// revoked.
func TestKeysEnd(t *testing.T) {
	s := seshattest.Open(t)
	_, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{ExpiresAt: seshattest.Start.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Hour - time.Millisecond)
	if _, err := s.Authenticate(t.Context(), secret); err != nil {
		t.Error(err)
	}
	s.Clock.Advance(time.Millisecond)
	if _, err := s.Authenticate(t.Context(), secret); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("at its end: %v", err)
	}
	k, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeAPIKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), secret); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("revoked: %v", err)
	}
	if err := s.RevokeAPIKey(t.Context(), k.ID); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("revoked again: %v", err)
	}
}

// Promise: no deadline that a caller gives is stored as "never".
func TestKeysThatNeverBegan(t *testing.T) {
	s := seshattest.Open(t)
	for _, at := range []time.Time{time.Unix(0, 0), time.UnixMilli(-1), time.Unix(0, 999_999), time.Unix(-1<<40, 0)} {
		if _, _, err := s.CreateAPIKey(t.Context(), seshat.APIKey{ExpiresAt: at}); !errors.Is(err, seshat.ErrInvalid) {
			t.Errorf("%v: got %v, want ErrInvalid", at, err)
		}
	}
	_, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{
		ExpiresAt:  time.UnixMilli(1),
		LastUsedAt: time.Unix(5, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), secret); !errors.Is(err, seshat.ErrNotFound) {
		t.Errorf("a key that ended long ago: %v", err)
	}
}

// writeCounter counts the requested changes and can make them fail.
type writeCounter struct {
	driver.Driver
	writes atomic.Int64
	broken error
}

func (w *writeCounter) Mutate(ctx context.Context, ops ...*driver.Op) error {
	w.writes.Add(1)
	if w.broken != nil {
		return w.broken
	}
	return w.Driver.Mutate(ctx, ops...)
}

// Promise: the use of a key is recorded at most once a minute, and a failure to
// record it is ignored.
func TestUseIsNotedOnceAMinute(t *testing.T) {
	d := &writeCounter{Driver: memdriver.Open()}
	s := seshattest.OpenDriver(t, d)
	clock := s.Clock
	_, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	use := func(writes int64, used time.Time) {
		t.Helper()
		before := d.writes.Load()
		k, err := s.Authenticate(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		if n := d.writes.Load() - before; n != writes || k.LastUsedAt != used {
			t.Fatalf("%d writes, used %v; want %d, %v", n, k.LastUsedAt, writes, used)
		}
	}
	use(1, seshattest.Start)
	clock.Advance(time.Minute - time.Millisecond)
	use(0, seshattest.Start)
	clock.Advance(time.Millisecond)
	use(1, clock.Now())
	d.broken = driver.ErrFailed
	clock.Advance(time.Hour)
	if _, err := s.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("where nothing can be written: %v", err)
	}
	d.broken = nil
}

// Promise: keys are listed by organization, oldest first, over many pages.
func TestKeysAreListed(t *testing.T) {
	s := seshattest.Open(t)
	var want []string
	for i := range 600 {
		org := []string{"", "int_other"}[i%2]
		k, _, err := s.CreateAPIKey(t.Context(), seshat.APIKey{OrganizationID: org})
		if err != nil {
			t.Fatal(err)
		}
		if org == "" {
			want = append(want, k.ID)
		}
		s.Clock.Advance(time.Millisecond)
	}
	var got []string
	for k, err := range s.APIKeys(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if k.OrganizationID != seshat.DefaultOrganization {
			t.Fatalf("a key of %s", k.OrganizationID)
		}
		got = append(got, k.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d keys, want %d, oldest first", len(got), len(want))
	}
	for _, err := range s.APIKeys(t.Context(), "") {
		must(t, err)
		break // a loop may end early
	}
}

// Promise: keys survive a restart, and a closed store returns ErrClosed.
func TestKeysAreKept(t *testing.T) {
	s := seshattest.OpenFile(t)
	_, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
	if err != nil {
		t.Fatal(err)
	}
	seshattest.CheckAndClose(t, s.Store)
	if _, err := s.Authenticate(t.Context(), secret); !errors.Is(err, seshat.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	s.Reopen(t, seshat.Options{ReadOnly: true})
	if k, err := s.Authenticate(t.Context(), secret); err != nil || !k.LastUsedAt.IsZero() {
		t.Errorf("read-only: %+v, %v", k, err)
	}
}

// Promise: a key that is revoked during its use is refused afterwards, and
// recording that use does not restore it.
func TestRevokedKeysStayGone(t *testing.T) {
	s := seshattest.Open(t)
	for range 20 {
		k, secret, err := s.CreateAPIKey(t.Context(), seshat.APIKey{})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := s.Authenticate(context.Background(), secret); err != nil &&
					!errors.Is(err, seshat.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		if err := s.RevokeAPIKey(t.Context(), k.ID); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if _, err := s.Authenticate(t.Context(), secret); !errors.Is(err, seshat.ErrNotFound) {
			t.Errorf("after it was revoked: %v", err)
		}
	}
}
