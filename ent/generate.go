// Package ent holds the database schema (schema/, by hand) and what ent generates from it (the rest).
package ent

//go:generate go run entgo.io/ent/cmd/ent generate --feature sql/lock,sql/execquery,sql/upsert ./schema
