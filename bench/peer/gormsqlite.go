package peer

import (
	"database/sql"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// gormSQLite is the part of a gorm dialect that ADK's service needs. The
// published dialects have SQLite drivers that cannot be linked beside ours or
// need a C compiler.
type gormSQLite struct{ db *sql.DB }

// openGormSQLite opens a file with one connection, because SQLite has one
// writer and the service upgrades reads to writes within a transaction.
func openGormSQLite(path string) (*gormSQLite, error) {
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &gormSQLite{db}, nil
}

func (d *gormSQLite) pragma(p string) error {
	_, err := d.db.Exec("PRAGMA " + p)
	return err
}

func (d *gormSQLite) Name() string { return "sqlite" }

func (d *gormSQLite) Initialize(db *gorm.DB) error {
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{})
	db.ConnPool = d.db
	return nil
}

func (d *gormSQLite) Migrator(db *gorm.DB) gorm.Migrator {
	return gormMigrator{migrator.Migrator{Config: migrator.Config{
		DB: db, Dialector: d,
		CreateIndexAfterCreateTable: true,
	}}}
}

// gormMigrator creates tables in an empty file.
type gormMigrator struct{ migrator.Migrator }

func (gormMigrator) HasTable(any) bool { return false }

func (d *gormSQLite) DataTypeOf(f *schema.Field) string {
	switch f.DataType {
	case schema.Bool:
		return "numeric"
	case schema.Int, schema.Uint:
		return "integer"
	case schema.Float:
		return "real"
	case schema.Time:
		return "datetime"
	case schema.Bytes:
		return "blob"
	}
	return "text"
}

func (d *gormSQLite) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "NULL"}
}

func (d *gormSQLite) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { _ = w.WriteByte('?') }

func (d *gormSQLite) QuoteTo(w clause.Writer, name string) {
	_ = w.WriteByte('`')
	for i := range len(name) {
		if name[i] == '.' {
			_, _ = w.WriteString("`.`")
			continue
		}
		_ = w.WriteByte(name[i])
	}
	_ = w.WriteByte('`')
}

func (d *gormSQLite) Explain(query string, _ ...any) string { return query }
