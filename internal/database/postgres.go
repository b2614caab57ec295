package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/letterlock/letterlock/ent"
)

const (
	postgresConnectTimeout = 5 * time.Second
	// postgresConnections leaves room for several nodes under PostgreSQL's default of 100.
	postgresConnections = 16
	// migrationSchemaLockTimeout bounds how long a migration waits for a table, and so how long others wait behind it.
	migrationSchemaLockTimeout = "30s"
)

// postgresDefaults hold unless the URL says otherwise. The timeouts let go of what a stopped or lost node holds; the
// isolation level is the one that the mailbox's statements are written for.
var postgresDefaults = [...]struct{ name, value string }{
	{"application_name", "letterlock"},
	{"lock_timeout", "5s"},
	{"statement_timeout", "10s"},
	{"idle_in_transaction_session_timeout", "10s"},
	{"default_transaction_isolation", "read committed"},
}

func openPostgreSQL(ctx context.Context, rawURL string, log *slog.Logger, files fs.FS) (_ *DB, err error) {
	config, err := parsePostgresURL(rawURL)
	if err != nil {
		return nil, err
	}
	name := postgresName(config.ConnConfig)
	if err := migratePostgreSQL(ctx, name, config.ConnConfig, log, files); err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL at %s: %w", name, err)
	}
	handle := stdlib.OpenDBFromPool(pool)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, handle)))
	db := &DB{Dialect: PostgreSQL, SQL: handle, Pool: pool, Ent: client, Name: name}
	if err := warnUnsafe(ctx, handle, log); err != nil {
		return nil, errors.Join(fmt.Errorf("ask PostgreSQL at %s for its settings: %w", name, err), db.Close())
	}
	return db, nil
}

// parsePostgresURL reads the URL and adds the defaults. Its errors quote nothing of a URL whose password may be in the
// wrong place.
func parsePostgresURL(rawURL string) (*pgxpool.Config, error) {
	hint := "the form is postgres://user:password@host:5432/database, with percent-encoding for special characters in user and password (LETTERLOCK_DATABASE)"
	parsed, err := url.Parse(rawURL)
	if err != nil || parsed.Fragment != "" || parsed.User == nil && strings.Contains(rawURL, "@") {
		return nil, fmt.Errorf("%w: the database URL cannot be read: %s", ErrConfig, hint)
	}
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, fmt.Errorf("%w: the database URL is refused: %s: %s", ErrConfig, detail(err, parsed), hint)
	}
	query := parsed.Query()
	params := config.ConnConfig.RuntimeParams
	for _, setting := range postgresDefaults {
		if params[setting.name] == "" && !strings.Contains(params["options"], setting.name) {
			params[setting.name] = setting.value
		}
	}
	if !query.Has("connect_timeout") {
		config.ConnConfig.ConnectTimeout = postgresConnectTimeout
	}
	// pgx would go by the severity's name in the language of the server.
	config.ConnConfig.OnPgError = func(_ *pgconn.PgConn, e *pgconn.PgError) bool { return Survived(e) }
	if !query.Has("pool_max_conns") {
		config.MaxConns = postgresConnections
	}
	return config, nil
}

// detail gives the text of err unless it shows a password.
func detail(err error, parsed *url.URL) string {
	text := err.Error()
	secrets := []string{parsed.Query().Get("password"), parsed.Query().Get("sslpassword")}
	if password, ok := parsed.User.Password(); ok {
		secrets = append(secrets, password, url.QueryEscape(password), url.PathEscape(password))
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			return "a parameter is wrong"
		}
	}
	return text
}

func postgresName(config *pgx.ConnConfig) string {
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))) + "/" + config.Database
}

// migratePostgreSQL migrates on connections of its own, which may take as long as a migration takes, under an advisory
// lock of the database.
func migratePostgreSQL(ctx context.Context, name string, base *pgx.ConnConfig, log *slog.Logger, files fs.FS) (err error) {
	config := base.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["lock_timeout"] = migrationSchemaLockTimeout
	handle := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, handle.Close()) }()
	conn, err := handle.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL at %s: %w; check that it runs and LETTERLOCK_DATABASE", name, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(migrationLockTimeout/time.Second)))
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	if err := locker.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("wait for another server that migrates %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn)) }()
	return migrate(ctx, migration{
		database: name, directory: string(PostgreSQL), dialect: goose.DialectPostgres, handle: handle,
	}, log, files)
}

// warnUnsafe tells the operator if PostgreSQL answers commits that a crash can lose (delivery contract 1).
func warnUnsafe(ctx context.Context, handle *sql.DB, log *slog.Logger) error {
	settings, err := unsafeSettings(ctx, handle)
	for _, setting := range settings {
		log.WarnContext(ctx, "PostgreSQL can lose confirmed messages in a crash: switch the setting on", "setting", setting)
	}
	return err
}

func unsafeSettings(ctx context.Context, handle *sql.DB) (off []string, err error) {
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := handle.QueryRowContext(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return off, err
		}
		if value == "off" {
			off = append(off, setting)
		}
	}
	return off, nil
}
