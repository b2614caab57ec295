package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The partitions of sends are made and dropped by whichever node comes first. Making one attaches a finished table, which
// locks out neither reads nor writes of the others; dropping one detaches it first, for the same reason.

// Advisory locks of the database, from the bytes of "llsends".
const (
	pgMakingDays   = 0x6c6c73656e647300
	pgDroppingDays = 0x6c6c73656e647301
)

const pgDayPrefix = "sends_"

// pgDays lists the tables that are, were or will be partitions. One that is half detached comes first: it stands in the way
// of detaching any other.
const pgDays = `SELECT c.relname, i.inhrelid IS NOT NULL, COALESCE(i.inhdetachpending, false)
	FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'sends'::regclass
	WHERE c.relkind = 'r' AND c.relname ~ '^sends_[0-9]+$'
		AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'sends'::regclass)
	ORDER BY 3 DESC, 1`

// dayTable is a table for one day of sends. Detached but not dropped, or half detached, is what a node leaves that dies.
type dayTable struct {
	day               int32
	attached, pending bool
}

func (d dayTable) name() string { return pgDayPrefix + strconv.Itoa(int(d.day)) }

// finalize ends a detaching that was cut short.
func (d dayTable) finalize() string {
	return `ALTER TABLE sends DETACH PARTITION ` + d.name() + ` FINALIZE`
}

func (s *postgresStore) keepDays(ctx context.Context, oldest, first, last int32) error {
	var claims []claim
	for day := first; day <= last; day++ {
		claims = append(claims, claim{sendKey: sendKey{day: day}})
	}
	if err := s.ensureDays(ctx, claims); err != nil {
		return err
	}
	return s.dropDays(ctx, oldest)
}

// ensureDays makes the partitions that claims need. Nearly always all of them are known.
func (s *postgresStore) ensureDays(ctx context.Context, claims []claim) error {
	missing := s.missingDays(claims)
	if len(missing) == 0 {
		return nil
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(pgMakingDays)); err != nil {
			return err
		}
		tables, err := listDays(ctx, tx)
		if err != nil {
			return err
		}
		for _, day := range missing {
			if err := makeDay(ctx, tx, tables, day); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make partitions of sends: %w", readError(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, day := range missing {
		s.days[day] = true
	}
	return nil
}

func (s *postgresStore) missingDays(claims []claim) []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []int32
	for i := range claims {
		// Claims are in the order of days.
		if day := claims[i].day; !s.days[day] && (len(missing) == 0 || missing[len(missing)-1] != day) {
			missing = append(missing, day)
		}
	}
	return missing
}

// forgetDays makes the next batch look which partitions there are.
func (s *postgresStore) forgetDays() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.days)
}

func makeDay(ctx context.Context, tx pgx.Tx, tables []dayTable, day int32) error {
	table := dayTable{day: day}
	if i := slices.IndexFunc(tables, func(d dayTable) bool { return d.day == day }); i >= 0 {
		table = tables[i]
	}
	if table.attached && !table.pending {
		return nil
	}
	if table.pending {
		if _, err := tx.Exec(ctx, table.finalize()); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+table.name()+` (LIKE sends INCLUDING ALL)`); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE sends ATTACH PARTITION %s FOR VALUES IN (%d)`, table.name(), day))
	return err
}

// dropDays drops the partitions before oldest, unless another node is at it.
func (s *postgresStore) dropDays(ctx context.Context, oldest int32) (err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("%w: connect: %w", errTransient, err)
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(pgDroppingDays)).Scan(&mine); err != nil || !mine {
		return err
	}
	defer func() {
		_, unlock := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, int64(pgDroppingDays))
		if unlock != nil {
			// The lock goes with the session.
			unlock = errors.Join(unlock, conn.Conn().Close(context.WithoutCancel(ctx)))
		}
		err = errors.Join(err, unlock)
	}()
	tables, err := listDays(ctx, conn)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if table.day >= oldest && !table.pending {
			continue
		}
		if err := s.dropDay(ctx, conn, table, oldest); err != nil {
			return fmt.Errorf("drop %s: %w", table.name(), err)
		}
	}
	return nil
}

// dropDay takes the statements one by one: detaching concurrently allows no transaction around it. A half detached table that
// is not old, which a node leaves whose clock is wrong, is only detached: it is attached again when it is needed.
func (s *postgresStore) dropDay(ctx context.Context, conn *pgxpool.Conn, table dayTable, oldest int32) error {
	s.mu.Lock()
	delete(s.days, table.day)
	s.mu.Unlock()
	var statements []string
	switch {
	case table.pending:
		statements = append(statements, table.finalize())
	case table.attached:
		statements = append(statements, `ALTER TABLE sends DETACH PARTITION `+table.name()+` CONCURRENTLY`)
	}
	if table.day < oldest {
		statements = append(statements, `DROP TABLE IF EXISTS `+table.name())
	}
	for _, statement := range statements {
		if err := conn.Conn().PgConn().Exec(ctx, statement).Close(); err != nil {
			return err
		}
	}
	return nil
}

// querier is a connection, or a transaction on one.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

func listDays(ctx context.Context, q querier) ([]dayTable, error) {
	rows, err := q.Query(ctx, pgDays)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []dayTable
	err = eachRow(rows, func() error {
		var name string
		var table dayTable
		if err := rows.Scan(&name, &table.attached, &table.pending); err != nil {
			return err
		}
		day, err := strconv.ParseInt(strings.TrimPrefix(name, pgDayPrefix), 10, 32)
		table.day = int32(day) // #nosec G115 -- parsed as 32 bits
		tables = append(tables, table)
		return err
	})
	return tables, err
}
