package testdb_test

import (
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestCopiesHaveEpochsOfTheirOwn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, one *database.DB) {
		two := testdb.Open(t, one.Dialect)
		first, err := one.Epoch(t.Context())
		second, err2 := two.Epoch(t.Context())
		if err != nil || err2 != nil || first == second {
			t.Errorf("epochs %d and %d: %v, %v", first, second, err, err2)
		}
	})
}
