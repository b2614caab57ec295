package store

import (
	"context"
	"errors"
	"testing"

	"github.com/letterlock/letterlock/device"
)

// Whenever a store is closed, a step that is under way is there whole or not at all, each record in its place; nothing begins afterwards.
func TestCloseTearsNoStep(t *testing.T) {
	const rounds, records = 20, 200
	for range rounds {
		s, home := create(t)
		begun, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- s.Update(context.Background(), func(device.Records) (writes []device.Write, _ error) {
				close(begun)
				for number := range uint64(records) {
					writes = append(writes, device.Write{Key: device.Key{Collection: "a", Number: number + 1}, Value: []byte("x")})
				}
				return writes, nil
			})
		}()
		<-begun
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		committed := <-ended == nil
		if err := s.View(t.Context(), func(device.Records) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Fatalf("a step after Close gives %v", err)
		}
		again, err := Open(t.Context(), home, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = again.View(t.Context(), func(r device.Records) error {
			list, err := r.List("a", "", 0, 2*records)
			if want := map[bool]int{true: records}[committed]; len(list) != want {
				t.Errorf("%d records of %d are in their place", len(list), want)
			}
			return err
		})
		if err := errors.Join(err, again.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
