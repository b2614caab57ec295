package database

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func claim(ctx context.Context, t *testing.T, config Config) (func() error, error) {
	t.Helper()
	return Claim(ctx, config, slog.New(slog.DiscardHandler))
}

func TestClaim_OneServerHasTheEmbeddedDatabase(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		release, err := claim(t.Context(), t, config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := claim(t.Context(), t, config); !errors.Is(err, ErrServed) {
			t.Fatalf("a second server: %v", err)
		}
		if err := release(); err != nil {
			t.Fatal(err)
		}
		release, err = claim(t.Context(), t, config)
		if err != nil {
			t.Fatalf("after the first has ended: %v", err)
		}
		if err := release(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClaim_WaitsForAServerThatEnds(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		release, err := claim(t.Context(), t, config)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(claimTimeout/2, func() {
			if err := release(); err != nil {
				t.Error(err)
			}
		})
		next, err := claim(t.Context(), t, config)
		if err != nil {
			t.Fatal(err)
		}
		if err := next(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClaim_EndsWithItsContext(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		release, err := claim(t.Context(), t, config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := claim(ctx, t, config); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, not the context's", err)
		}
		if err := release(); err != nil {
			t.Fatal(err)
		}
	})
}
