// Package scratch makes PostgreSQL databases that live as long as a test or a tool needs them.
package scratch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// PostgreSQL makes an empty database beside the maintenance database that maintenanceURL (postgres://…) names, whose user
// may create databases. It gives the new one's URL and a function that drops it, open connections or not.
func PostgreSQL(ctx context.Context, maintenanceURL string) (databaseURL string, drop func(context.Context) error, err error) {
	return Copy(ctx, maintenanceURL, "template0")
}

// Copy is PostgreSQL with what a template holds, one of Template's.
func Copy(ctx context.Context, maintenanceURL, template string) (databaseURL string, drop func(context.Context) error, err error) {
	parsed, err := url.Parse(maintenanceURL)
	if err != nil {
		return "", nil, errors.New("the maintenance URL cannot be read")
	}
	name := "letterlock_scratch_" + strings.ToLower(rand.Text())
	if err := execute(ctx, maintenanceURL, "CREATE DATABASE "+name+" TEMPLATE "+template+" ENCODING 'UTF8'"); err != nil {
		return "", nil, fmt.Errorf("make a scratch database: %w", err)
	}
	parsed.Path = "/" + name
	return parsed.String(), func(ctx context.Context) error {
		return execute(ctx, maintenanceURL, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}, nil
}

func execute(ctx context.Context, databaseURL, statement string) error {
	return connected(ctx, databaseURL, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
}

func connected(ctx context.Context, databaseURL string, work func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return work(conn)
}
