package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// connector opens connections to SQLite. One that is opened while the disk is read-only stays so for its life: it is used once, so that
// writing goes on when the disk can be written again.
type connector struct {
	driver driver.Driver
	dsn    string
}

func (c connector) Driver() driver.Driver { return c.driver }

// Connect is driver.Connector's.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	opened, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver of SQLite has connections of another kind: %T", opened), opened.Close())
	}
	switch readOnly, err := conn.IsReadOnly("main"); {
	case err != nil:
		return nil, errors.Join(err, conn.Close())
	case readOnly:
		return usedOnce{conn}, nil
	}
	return opened, nil
}

// sqliteConn is what database/sql makes use of, and whether it can be written by.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	IsReadOnly(schema string) (bool, error)
}

// usedOnce is a connection that the pool does not take back.
type usedOnce struct{ sqliteConn }

// IsValid is driver.Validator's.
func (usedOnce) IsValid() bool { return false }
