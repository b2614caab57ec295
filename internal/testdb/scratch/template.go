package scratch

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// templateLock keeps two programs from making one template at once.
const templateLock = 0x6c6c_7465_6d70

// Template gives the name of a database that fill has filled, for Copy. id, in lower case letters and digits, stands for what it holds:
// the first who asks this PostgreSQL for it makes it, and it stays there for all others.
func Template(ctx context.Context, maintenanceURL, id string, fill func(databaseURL string) error) (string, error) {
	name := "letterlock_template_" + id
	err := connected(ctx, maintenanceURL, func(conn *pgx.Conn) error {
		if there, err := exists(ctx, conn, name); there || err != nil {
			return err
		}
		// Held until the connection ends.
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
			return err
		}
		if there, err := exists(ctx, conn, name); there || err != nil {
			return err
		}
		return makeTemplate(ctx, conn, maintenanceURL, name, fill)
	})
	if err != nil {
		return "", fmt.Errorf("make a template of a database: %w", err)
	}
	return name, nil
}

func exists(ctx context.Context, conn *pgx.Conn, name string) (there bool, err error) {
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	return there, err
}

// makeTemplate gives the name only to a database that is whole.
func makeTemplate(ctx context.Context, conn *pgx.Conn, maintenanceURL, name string, fill func(databaseURL string) error) error {
	databaseURL, drop, err := PostgreSQL(ctx, maintenanceURL)
	if err != nil {
		return err
	}
	defer func() { _ = drop(context.WithoutCancel(ctx)) }() // under its first name, if it still has it
	if err := fill(databaseURL); err != nil {
		return err
	}
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+strings.TrimPrefix(parsed.Path, "/")+" RENAME TO "+name)
	return err
}
