package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seshatdb/seshat/driver"
)

// migrate upgrades the tables to schemaVersion. If they have that version, it
// only reads. Instances that start at the same time wait for each other at the
// row of {schema}.
func (d *Driver) migrate(ctx context.Context) error {
	return d.retry(ctx, func() error {
		version, err := d.version(ctx)
		if err == nil && version != schemaVersion && (d.o.ReadOnly || version > schemaVersion) {
			err = fmt.Errorf("tables of version %d, want %d: %w", version, schemaVersion, driver.ErrFormat)
		}
		if err != nil || version == schemaVersion {
			return err
		}
		return d.create(ctx)
	})
}

// version returns the version of the tables, 0 if there are none.
func (d *Driver) version(ctx context.Context) (version int, err error) {
	err = d.pool.QueryRow(ctx, d.text(`select version from {schema}`)).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) || code(err) == "42P01" || code(err) == "3F000" {
		return 0, nil
	}
	return version, err
}

func (d *Driver) create(ctx context.Context) error {
	for _, ddl := range []string{
		`create schema if not exists ` + quote(d.o.Schema),
		`create table if not exists {schema} (one smallint primary key, version int not null)`,
		`insert into {schema} (one, version) values (1, 0) on conflict (one) do nothing`,
	} {
		if _, err := d.pool.Exec(ctx, d.sql.Replace(ddl)); err != nil {
			return concurrent(err)
		}
	}
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return d.forward(ctx, tx) })
}

// forward upgrades the tables to schemaVersion, unless another instance was
// faster.
func (d *Driver) forward(ctx context.Context, tx pgx.Tx) error {
	var version int
	if err := tx.QueryRow(ctx,
		d.text(`select version from {schema} where one = 1 for update`)).Scan(&version); err != nil {
		return err
	}
	partitions := d.o.Partitions
	var err error
	if version > 0 {
		partitions, err = d.partitions(ctx, tx)
	}
	if err != nil {
		return err
	}
	for ; version < schemaVersion; version++ {
		for _, ddl := range migrations[version](partitions) {
			if _, err := tx.Exec(ctx, d.sql.Replace(ddl), pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(ctx, d.text(`update {schema} set version = $1 where one = 1`), version)
	return err
}

// partitions returns the number of partitions of the existing tables.
func (d *Driver) partitions(ctx context.Context, tx pgx.Tx) (n int, err error) {
	err = tx.QueryRow(ctx, `select count(*) from pg_inherits where inhparent = to_regclass($1)`,
		d.sql.Replace(`{spaces}`)).Scan(&n)
	return n, err
}

// errConcurrent reports that another instance created the same object at the
// same time.
var errConcurrent = errors.New("made by another instance")

// concurrent recognizes the errors of "if not exists" in a race.
func concurrent(err error) error {
	switch code(err) {
	case "23505", "42P06", "42P07", "42710", "XX000":
		return fmt.Errorf("%w: %w", errConcurrent, err)
	}
	return err
}

// code returns the SQLSTATE of an error of the engine, or "".
func code(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}
