package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A conn is one connection with its prepared statements. Statements run without
// the caller's context: watching it would cost a goroutine each, and none of
// them takes long.
type conn struct {
	sql      *sql.Conn
	readOnly bool
	stmts    [numStatements]*sql.Stmt
}

func newConn(ctx context.Context, pool *sql.DB, readOnly bool) (*conn, error) {
	sc, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{sql: sc, readOnly: readOnly}
	if readOnly {
		if _, err := sc.ExecContext(ctx, "PRAGMA query_only=1"); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *conn) prepare(ctx context.Context) error {
	for i, text := range statements {
		stmt, err := c.sql.PrepareContext(ctx, text)
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		c.stmts[i] = stmt
	}
	return nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, c.sql.Close())...)
}
