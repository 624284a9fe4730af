package sqlite

import (
	"testing"

	"gatehouse/internal/store"
	"gatehouse/internal/store/storetest"
)

// counted lets the suite see that nothing is kept that no pin needs.
type counted struct{ *DB }

func (c counted) Kept() (n int, err error) {
	err = c.sql.QueryRow("SELECT count(*) FROM kept").Scan(&n)
	return n, err
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Backend {
		db, err := Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return counted{db}
	})
}
