// Package schemadiff compares a migrated database with the tables that ent's schema asks for.
package schemadiff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"text/template"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	enttables "github.com/letterlock/letterlock/ent/migrate"
	"github.com/letterlock/letterlock/internal/database"
)

// migrationFormat is one file for goose. There is no way down: migrations only go forward.
var migrationFormat = template.Must(template.New("migration").Parse(
	`-- +goose Up
{{ range .Changes }}{{ with .Comment }}-- {{ . }}
{{ end }}{{ .Cmd }};
{{ end }}`))

// Pending gives the migration, in goose's format, that makes db what ent's schema asks for, and "" if db is that.
// It looks at ent's tables alone: tables that were made by hand, as sends, are neither compared nor dropped, and a table
// that left ent's schema is dropped by hand.
func Pending(ctx context.Context, db *database.DB) (string, error) {
	name := dialect.SQLite
	if db.Dialect == database.PostgreSQL {
		name = dialect.Postgres
	}
	var out formatter
	differ, err := schema.NewMigrate(entsql.OpenDB(name, db.SQL),
		schema.WithDir(&migrate.MemDir{}), schema.WithFormatter(&out), schema.WithErrNoPlan(true),
		schema.WithDropColumn(true), schema.WithDropIndex(true))
	if err != nil {
		return "", fmt.Errorf("prepare to compare: %w", err)
	}
	err = differ.NamedDiff(ctx, "pending", enttables.Tables...)
	if errors.Is(err, migrate.ErrNoPlan) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("compare %s with ent's schema: %w", db.Name, err)
	}
	return out.text, nil
}

// formatter keeps the text of a plan and lets no file be written.
type formatter struct{ text string }

// Format is called by Atlas with the changes that it found.
func (f *formatter) Format(plan *migrate.Plan) ([]migrate.File, error) {
	var text bytes.Buffer
	if err := migrationFormat.Execute(&text, plan); err != nil {
		return nil, fmt.Errorf("write migration: %w", err)
	}
	f.text = text.String()
	return nil, nil
}
