package testdb

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
)

// Cell is one value of a database, as text or as bytes.
type Cell struct {
	Table, Column string
	Value         []byte
}

// Place names the column that a cell stands in.
func (c Cell) Place() string { return c.Table + "." + c.Column }

// Dump reads every value of every table, those that the caller has never heard of too.
func Dump(tb testing.TB, db *database.DB) []Cell {
	tb.Helper()
	var cells []Cell
	for _, table := range tables(tb, db) {
		cells = append(cells, dumpTable(tb, db, table)...)
	}
	return cells
}

// Find gives the places, each once and in order, where a value holds needle as a part.
func Find(cells []Cell, needle []byte) []string {
	var places []string
	for _, cell := range cells {
		if bytes.Contains(cell.Value, needle) {
			places = append(places, cell.Place())
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

func tables(tb testing.TB, db *database.DB) (names []string) {
	tb.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
	if db.Dialect == database.PostgreSQL {
		// A partitioned table shows the rows of its partitions.
		query = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`
	}
	rows, err := db.SQL.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			tb.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) < 2 {
		tb.Fatalf("tables %v: %v", names, err)
	}
	return names
}

func dumpTable(tb testing.TB, db *database.DB, table string) (cells []Cell) {
	tb.Helper()
	rows, err := db.SQL.QueryContext(tb.Context(), `SELECT * FROM "`+strings.ReplaceAll(table, `"`, `""`)+`"`)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			tb.Fatal(err)
		}
		for i, value := range values {
			cells = append(cells, Cell{table, columns[i], cellBytes(value)})
		}
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return cells
}

func cellBytes(value any) []byte {
	switch v := value.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	case [16]byte:
		return v[:]
	default:
		return []byte(fmt.Sprint(v))
	}
}

// Tables names every table. What SQLite keeps for itself is left out.
func Tables(tb testing.TB, db *database.DB) []string {
	tb.Helper()
	return slices.DeleteFunc(tables(tb, db), func(name string) bool { return strings.HasPrefix(name, "sqlite_") })
}

// Columns names every column of every table, as table.column. What SQLite keeps for itself is left out.
func Columns(tb testing.TB, db *database.DB) (names []string) {
	tb.Helper()
	for _, table := range Tables(tb, db) {
		columns := func() []string {
			rows, err := db.SQL.QueryContext(tb.Context(), `SELECT * FROM "`+table+`" LIMIT 0`)
			if err != nil {
				tb.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			columns, err := rows.Columns()
			if err = errors.Join(err, rows.Err()); err != nil {
				tb.Fatal(err)
			}
			return columns
		}()
		for _, column := range columns {
			names = append(names, table+"."+column)
		}
	}
	return names
}
