package postgres

import (
	"fmt"
	"strings"
)

// schemaVersion is the version of the tables that this package reads and
// writes.
const schemaVersion = 2

// migrations has the statements of each upgrade to the next version. Released
// ones must not change.
var migrations = [schemaVersion]func(partitions int) []string{first, second}

// tables are the tables of version 1. A name in braces stands for schema and
// name. Every primary key begins with the namespace, so that tables can be
// distributed by it. COLLATE "C" orders ids by their bytes. Unsigned numbers of
// package driver are stored bit for bit. An entry without a value is absent:
// see attempt.guard.
var tables = []table{
	{"spaces", `
		namespace bigint not null,
		head bigint not null default 0, tail bigint not null default 0,
		s0 bigint not null default 0, s1 bigint not null default 0,
		s2 bigint not null default 0, s3 bigint not null default 0,
		s4 bigint not null default 0, s5 bigint not null default 0,
		s6 bigint not null default 0, s7 bigint not null default 0,
		messages bigint not null default 0, bytes bigint not null default 0,
		primary key (namespace)`, true},
	{"sessions", `
		namespace bigint not null, id text collate "C" not null,
		incarnation bytea not null, version bigint not null, next_seq bigint not null,
		user_id text collate "C", status smallint not null, labels jsonb,
		created bigint not null, active_minute bigint not null, due bigint, expires bigint,
		messages bigint not null, bytes bigint not null, body bytea not null,
		primary key (namespace, id)`, true},
	{"messages", `
		namespace bigint not null, incarnation bytea not null, seq bigint not null,
		id text collate "C" not null, digest bytea not null, body bytea,
		primary key (namespace, incarnation, seq)`, false},
	{"logs", `
		namespace bigint not null, incarnation bytea not null, until bigint not null,
		primary key (namespace, incarnation)`, false},
	{"entries", `
		namespace bigint not null, class smallint not null, owner_len smallint not null, owner bytea not null,
		kind smallint not null, name bytea not null, value bytea,
		primary key (namespace, class, owner_len, owner, kind, name)`, false},
	{"events", `
		namespace bigint not null, position bigint not null, at bigint not null, id text collate "C" not null,
		kind smallint not null, status smallint not null, version bigint not null, last_seq bigint not null,
		primary key (namespace, position)`, false},
	{"erasures", `
		namespace bigint not null, user_id text collate "C" not null,
		sessions bigint not null, messages bigint not null, bytes bigint not null, entries bigint not null,
		primary key (namespace, user_id)`, false},
}

// table is one table. If its rows are updated in place, its pages keep free
// space, so that a change of a column without an index writes no index.
type table struct {
	name, columns string
	roomy         bool
}

// indexes begin with the namespace, except the two for the sweeper.
var indexes = []string{
	`create index sessions_created on {sessions} (namespace, created, id)`,
	`create index sessions_active on {sessions} (namespace, active_minute, id)`,
	`create index sessions_user on {sessions} (namespace, user_id, created, id) where user_id is not null`,
	`create index sessions_incarnation on {sessions} (namespace, incarnation)`,
	`create index sessions_expires on {sessions} (namespace, expires) where expires is not null`,
	`create index sessions_due on {sessions} (due, namespace, id) where due is not null`,
	`create index messages_id on {messages} (namespace, incarnation, id)`,
	`create index logs_until on {logs} (until, namespace, incarnation)`,
}

// views show times and names of statuses to people.
var views = []string{
	`create view {session_list} as select
		namespace, id as session_id, user_id,
		case status when 0 then 'active' when 1 then 'idle' when 2 then 'archived'
			when 3 then 'terminated' else status::text end as status,
		labels, version, messages as message_count, bytes,
		to_timestamp(created / 1000.0) as created_at,
		to_timestamp(active_minute * 60.0) as last_activity_at,
		to_timestamp(due / 1000.0) as due_at,
		to_timestamp(expires / 1000.0) as expires_at
	from {sessions}`,
	`create view {message_list} as select
		s.namespace, s.id as session_id, m.seq, m.id as message_id, octet_length(m.body) as bytes
	from {sessions} s join {messages} m on m.namespace = s.namespace and m.incarnation = s.incarnation
	where m.body is not null`,
	`create view {event_list} as select
		namespace, position, to_timestamp(at / 1000.0) as at, id,
		case kind when 1 then 'created' when 2 then 'updated' when 3 then 'appended' when 4 then 'transitioned'
			when 5 then 'expired' when 6 then 'deleted' when 7 then 'user_erased' else kind::text end as kind,
		status, version, last_seq
	from {events}`,
	`create view {usage_list} as select
		namespace, s0 as active, s1 as idle, s2 as archived, s3 as terminated, messages, bytes,
		head as feed_head, tail as feed_tail
	from {spaces}`,
}

// first returns the statements that create the tables of version 1.
func first(partitions int) []string {
	var ddl []string
	for _, t := range tables {
		ddl = append(ddl, t.ddl(partitions)...)
	}
	ddl = append(ddl, indexes...)
	return append(ddl, views...)
}

// pending has the additions of writers to feeds and counters until fold merges
// them. spaces gets the last folded stamp. A row without a kind is not an
// event.
var pending = table{"pending", `
		namespace bigint not null, stamp bigint not null, tie bigint not null, n int not null,
		at bigint not null, id text collate "C" not null,
		kind smallint, status smallint not null, version bigint not null, last_seq bigint not null,
		tail bigint not null,
		s0 bigint not null, s1 bigint not null, s2 bigint not null, s3 bigint not null,
		s4 bigint not null, s5 bigint not null, s6 bigint not null, s7 bigint not null,
		messages bigint not null, bytes bigint not null,
		primary key (namespace, stamp, tie, n)`, false}

// second returns the statements that upgrade version 1 to version 2. In version
// 2 each process keeps the totals of its erasures, and the views name statuses
// as the store does.
func second(partitions int) []string {
	return append(pending.ddl(partitions),
		`alter table {spaces} add column stamp bigint not null default 0`,
		`drop table {erasures}`,
		`create or replace view {session_list} as select
			namespace, id as session_id, user_id,
			case status when 1 then 'active' when 2 then 'idle' when 3 then 'archived'
				when 4 then 'terminated' else status::text end as status,
			labels, version, messages as message_count, bytes,
			to_timestamp(created / 1000.0) as created_at,
			to_timestamp(active_minute * 60.0) as last_activity_at,
			to_timestamp(due / 1000.0) as due_at,
			to_timestamp(expires / 1000.0) as expires_at
		from {sessions}`,
		`create or replace view {event_list} as select
			namespace, position, to_timestamp(at / 1000.0) as at, id,
			case kind when 1 then 'created' when 2 then 'updated' when 3 then 'appended' when 4 then 'transitioned'
				when 5 then 'expired' when 6 then 'deleted' when 7 then 'user_erased' else kind::text end as kind,
			status, version, last_seq
		from (select namespace, position, at, id, kind, status, version, last_seq from {events}
			union all select namespace, null, at, id, kind, status, version, last_seq
				from {pending} where kind is not null) e`,
		`create or replace view {usage_list} as select
			namespace, sum(s1)::bigint as active, sum(s2)::bigint as idle,
			sum(s3)::bigint as archived, sum(s4)::bigint as terminated,
			sum(messages)::bigint as messages, sum(bytes)::bigint as bytes,
			sum(head)::bigint as feed_head, max(tail) as feed_tail
		from (select namespace, s1, s2, s3, s4, messages, bytes, head, tail from {spaces}
			union all select namespace, s1, s2, s3, s4, messages, bytes, (kind is not null)::int, tail from {pending}) u
		group by namespace`)
}

func (t table) ddl(partitions int) []string {
	room := ""
	if t.roomy {
		room = " with (fillfactor = 80)"
	}
	create := fmt.Sprintf("create table {%s} (%s\n)", t.name, t.columns)
	if partitions == 0 {
		return []string{create + room}
	}
	ddl := []string{create + " partition by hash (namespace)"}
	for i := range partitions {
		ddl = append(ddl,
			fmt.Sprintf("create table {%s_p%d} partition of {%s} for values with (modulus %d, remainder %d)%s",
				t.name, i, t.name, partitions, i, room))
	}
	return ddl
}

// qualifier replaces names in braces with qualified names.
func qualifier(schema string) *strings.Replacer {
	return strings.NewReplacer("{", quote(schema)+".", "}", "")
}

// quote returns name as an SQL identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
