CREATE SCHEMA old;
CREATE TABLE old.entries (
    namespace bigint NOT NULL,
    class smallint NOT NULL,
    owner_len smallint NOT NULL,
    owner bytea NOT NULL,
    kind smallint NOT NULL,
    name bytea NOT NULL,
    value bytea
)
PARTITION BY HASH (namespace);
CREATE TABLE old.entries_p0 (
    namespace bigint NOT NULL,
    class smallint NOT NULL,
    owner_len smallint NOT NULL,
    owner bytea NOT NULL,
    kind smallint NOT NULL,
    name bytea NOT NULL,
    value bytea
);
CREATE TABLE old.entries_p1 (
    namespace bigint NOT NULL,
    class smallint NOT NULL,
    owner_len smallint NOT NULL,
    owner bytea NOT NULL,
    kind smallint NOT NULL,
    name bytea NOT NULL,
    value bytea
);
CREATE TABLE old.erasures (
    namespace bigint NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C",
    sessions bigint NOT NULL,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    entries bigint NOT NULL
)
PARTITION BY HASH (namespace);
CREATE TABLE old.erasures_p0 (
    namespace bigint NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C",
    sessions bigint NOT NULL,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    entries bigint NOT NULL
);
CREATE TABLE old.erasures_p1 (
    namespace bigint NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C",
    sessions bigint NOT NULL,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    entries bigint NOT NULL
);
CREATE TABLE old.events (
    namespace bigint NOT NULL,
    "position" bigint NOT NULL,
    at bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    kind smallint NOT NULL,
    status smallint NOT NULL,
    version bigint NOT NULL,
    last_seq bigint NOT NULL
)
PARTITION BY HASH (namespace);
CREATE VIEW old.event_list AS
 SELECT events.namespace,
    events."position",
    to_timestamp((((events.at)::numeric / 1000.0))::double precision) AS at,
    events.id,
        CASE events.kind
            WHEN 1 THEN 'created'::text
            WHEN 2 THEN 'updated'::text
            WHEN 3 THEN 'appended'::text
            WHEN 4 THEN 'transitioned'::text
            WHEN 5 THEN 'expired'::text
            WHEN 6 THEN 'deleted'::text
            WHEN 7 THEN 'user_erased'::text
            ELSE (events.kind)::text
        END AS kind,
    events.status,
    events.version,
    events.last_seq
   FROM old.events;
CREATE TABLE old.events_p0 (
    namespace bigint NOT NULL,
    "position" bigint NOT NULL,
    at bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    kind smallint NOT NULL,
    status smallint NOT NULL,
    version bigint NOT NULL,
    last_seq bigint NOT NULL
);
CREATE TABLE old.events_p1 (
    namespace bigint NOT NULL,
    "position" bigint NOT NULL,
    at bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    kind smallint NOT NULL,
    status smallint NOT NULL,
    version bigint NOT NULL,
    last_seq bigint NOT NULL
);
CREATE TABLE old.logs (
    namespace bigint NOT NULL,
    incarnation bytea NOT NULL,
    until bigint NOT NULL
)
PARTITION BY HASH (namespace);
CREATE TABLE old.logs_p0 (
    namespace bigint NOT NULL,
    incarnation bytea NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE old.logs_p1 (
    namespace bigint NOT NULL,
    incarnation bytea NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE old.messages (
    namespace bigint NOT NULL,
    incarnation bytea NOT NULL,
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    body bytea
)
PARTITION BY HASH (namespace);
CREATE TABLE old.sessions (
    namespace bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    incarnation bytea NOT NULL,
    version bigint NOT NULL,
    next_seq bigint NOT NULL,
    user_id text COLLATE pg_catalog."C",
    status smallint NOT NULL,
    labels jsonb,
    created bigint NOT NULL,
    active_minute bigint NOT NULL,
    due bigint,
    expires bigint,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    body bytea NOT NULL
)
PARTITION BY HASH (namespace);
CREATE VIEW old.message_list AS
 SELECT s.namespace,
    s.id AS session_id,
    m.seq,
    m.id AS message_id,
    octet_length(m.body) AS bytes
   FROM (old.sessions s
     JOIN old.messages m ON (((m.namespace = s.namespace) AND (m.incarnation = s.incarnation))))
  WHERE (m.body IS NOT NULL);
CREATE TABLE old.messages_p0 (
    namespace bigint NOT NULL,
    incarnation bytea NOT NULL,
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    body bytea
);
CREATE TABLE old.messages_p1 (
    namespace bigint NOT NULL,
    incarnation bytea NOT NULL,
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    body bytea
);
CREATE TABLE old.schema (
    one smallint NOT NULL,
    version integer NOT NULL
);
CREATE VIEW old.session_list AS
 SELECT sessions.namespace,
    sessions.id AS session_id,
    sessions.user_id,
        CASE sessions.status
            WHEN 0 THEN 'active'::text
            WHEN 1 THEN 'idle'::text
            WHEN 2 THEN 'archived'::text
            WHEN 3 THEN 'terminated'::text
            ELSE (sessions.status)::text
        END AS status,
    sessions.labels,
    sessions.version,
    sessions.messages AS message_count,
    sessions.bytes,
    to_timestamp((((sessions.created)::numeric / 1000.0))::double precision) AS created_at,
    to_timestamp((((sessions.active_minute)::numeric * 60.0))::double precision) AS last_activity_at,
    to_timestamp((((sessions.due)::numeric / 1000.0))::double precision) AS due_at,
    to_timestamp((((sessions.expires)::numeric / 1000.0))::double precision) AS expires_at
   FROM old.sessions;
CREATE TABLE old.sessions_p0 (
    namespace bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    incarnation bytea NOT NULL,
    version bigint NOT NULL,
    next_seq bigint NOT NULL,
    user_id text COLLATE pg_catalog."C",
    status smallint NOT NULL,
    labels jsonb,
    created bigint NOT NULL,
    active_minute bigint NOT NULL,
    due bigint,
    expires bigint,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    body bytea NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE old.sessions_p1 (
    namespace bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    incarnation bytea NOT NULL,
    version bigint NOT NULL,
    next_seq bigint NOT NULL,
    user_id text COLLATE pg_catalog."C",
    status smallint NOT NULL,
    labels jsonb,
    created bigint NOT NULL,
    active_minute bigint NOT NULL,
    due bigint,
    expires bigint,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    body bytea NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE old.spaces (
    namespace bigint NOT NULL,
    head bigint DEFAULT 0 NOT NULL,
    tail bigint DEFAULT 0 NOT NULL,
    s0 bigint DEFAULT 0 NOT NULL,
    s1 bigint DEFAULT 0 NOT NULL,
    s2 bigint DEFAULT 0 NOT NULL,
    s3 bigint DEFAULT 0 NOT NULL,
    s4 bigint DEFAULT 0 NOT NULL,
    s5 bigint DEFAULT 0 NOT NULL,
    s6 bigint DEFAULT 0 NOT NULL,
    s7 bigint DEFAULT 0 NOT NULL,
    messages bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL
)
PARTITION BY HASH (namespace);
CREATE TABLE old.spaces_p0 (
    namespace bigint NOT NULL,
    head bigint DEFAULT 0 NOT NULL,
    tail bigint DEFAULT 0 NOT NULL,
    s0 bigint DEFAULT 0 NOT NULL,
    s1 bigint DEFAULT 0 NOT NULL,
    s2 bigint DEFAULT 0 NOT NULL,
    s3 bigint DEFAULT 0 NOT NULL,
    s4 bigint DEFAULT 0 NOT NULL,
    s5 bigint DEFAULT 0 NOT NULL,
    s6 bigint DEFAULT 0 NOT NULL,
    s7 bigint DEFAULT 0 NOT NULL,
    messages bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE old.spaces_p1 (
    namespace bigint NOT NULL,
    head bigint DEFAULT 0 NOT NULL,
    tail bigint DEFAULT 0 NOT NULL,
    s0 bigint DEFAULT 0 NOT NULL,
    s1 bigint DEFAULT 0 NOT NULL,
    s2 bigint DEFAULT 0 NOT NULL,
    s3 bigint DEFAULT 0 NOT NULL,
    s4 bigint DEFAULT 0 NOT NULL,
    s5 bigint DEFAULT 0 NOT NULL,
    s6 bigint DEFAULT 0 NOT NULL,
    s7 bigint DEFAULT 0 NOT NULL,
    messages bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');
CREATE VIEW old.usage_list AS
 SELECT spaces.namespace,
    spaces.s0 AS active,
    spaces.s1 AS idle,
    spaces.s2 AS archived,
    spaces.s3 AS terminated,
    spaces.messages,
    spaces.bytes,
    spaces.head AS feed_head,
    spaces.tail AS feed_tail
   FROM old.spaces;
ALTER TABLE ONLY old.entries ATTACH PARTITION old.entries_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.entries ATTACH PARTITION old.entries_p1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY old.erasures ATTACH PARTITION old.erasures_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.erasures ATTACH PARTITION old.erasures_p1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY old.events ATTACH PARTITION old.events_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.events ATTACH PARTITION old.events_p1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY old.logs ATTACH PARTITION old.logs_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.logs ATTACH PARTITION old.logs_p1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY old.messages ATTACH PARTITION old.messages_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.messages ATTACH PARTITION old.messages_p1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY old.sessions ATTACH PARTITION old.sessions_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.sessions ATTACH PARTITION old.sessions_p1 FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE ONLY old.spaces ATTACH PARTITION old.spaces_p0 FOR VALUES WITH (modulus 2, remainder 0);
ALTER TABLE ONLY old.spaces ATTACH PARTITION old.spaces_p1 FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO old.entries_p0 VALUES (0, 0, 0, '\x', 1, '\x6e735f30314d36413646543030424631334a564d4d575a4732424d5159', '\xdc00100101bd6e735f30314d36413646543030424631334a564d4d575a4732424d5159a174ab696e745f64656661756c74cf000001a19467e800cf000001a19467e800ff0000000000000000');
INSERT INTO old.entries_p0 VALUES (0, 0, 11, '\x696e745f64656661756c74', 2, '\x74', '\x6e735f30314d36413646543030424631334a564d4d575a4732424d5159');
INSERT INTO old.entries_p0 VALUES (0, 0, 0, '\x', 3, '\x', '\x0000000000000001');
INSERT INTO old.entries_p0 VALUES (0, 0, 0, '\x', 63, '\x', '\x000001a19467e800');
INSERT INTO old.entries_p0 VALUES (1, 1, 3, '\x6d6961', 65, '\x6b', '\x81a16b01');
INSERT INTO old.entries_p0 VALUES (1, 1, 3, '\x6d6961', 65, '\x', '\x00000000000000010000000000000004');
INSERT INTO old.events_p0 VALUES (1, 4, 1793491200000, 's1', 3, 1, 1, 1);
INSERT INTO old.events_p0 VALUES (1, 5, 1793491200000, 's1', 3, 1, 1, 2);
INSERT INTO old.events_p0 VALUES (1, 6, 1793491200000, 's2', 1, 1, 1, 0);
INSERT INTO old.events_p0 VALUES (1, 7, 1793491200000, 's2', 3, 1, 1, 1);
INSERT INTO old.events_p0 VALUES (1, 8, 1793491200000, 's2', 3, 1, 1, 2);
INSERT INTO old.events_p0 VALUES (1, 9, 1793491200000, 's2', 3, 1, 1, 3);
INSERT INTO old.events_p0 VALUES (1, 10, 1793491200000, 's0', 4, 3, 2, 1);
INSERT INTO old.events_p0 VALUES (1, 11, 1793491200000, 's1', 6, 1, 1, 2);
INSERT INTO old.messages_p0 VALUES (1, '\x01a19467e800d36ee29a8642b444b5a2', 1, 'msg_01M6A6FT00JF4HBA5X6NF2MC2Y', '\x0ddc7d291bd50e9e84afca7079b0dcfe', '\xdc0013010101a768656c6c6f2030a0a000c0c0a0a0c00000cf000001a19467e800c0cf000001a19467e8000000');
INSERT INTO old.messages_p0 VALUES (1, '\x01a19467e80012df59e76a1089b575ba', 1, 'msg_01M6A6FT00AR958C51WS9CVEVE', '\x0ddc7d291bd50e9e84afca7079b0dcfe', '\xdc0013010101a768656c6c6f2030a0a000c0c0a0a0c00000cf000001a19467e800c0cf000001a19467e8000000');
INSERT INTO old.messages_p0 VALUES (1, '\x01a19467e80012df59e76a1089b575ba', 2, 'msg_01M6A6FT00BRWMANQHF80CQNZX', '\xd94959f7e340eb4a5386c1451d6a27a3', '\xdc0013010101a768656c6c6f2031a0a000c0c0a0a0c00000cf000001a19467e800c0cf000001a19467e8000000');
INSERT INTO old.messages_p0 VALUES (1, '\x01a19467e80012df59e76a1089b575ba', 3, 'msg_01M6A6FT002BX2VJXSHMH4MMPV', '\x5c6eff62eb404615ca9234e9c34a5c7b', '\xdc0013010101a768656c6c6f2032a0a000c0c0a0a0c00000cf000001a19467e800c0cf000001a19467e8000000');
INSERT INTO old.schema VALUES (1, 1);
INSERT INTO old.sessions_p0 VALUES (1, 's2', '\x01a19467e80012df59e76a1089b575ba', 1, 4, 'mia', 1, NULL, 1793491200000, 29891520, NULL, NULL, 3, 234, '\xdc003101a768656c6c6f2030a0c0c0a0900000000000c0c0c200a0a00300000000cf000001a19467e800cf000001a19467e800cf000001a19467e80000cf000001a19467e80000c3000000ce240c8400000000000000a000ce01c81bc00300a0000000');
INSERT INTO old.sessions_p0 VALUES (1, 's0', '\x01a19467e800d36ee29a8642b444b5a2', 2, 2, 'mia', 3, NULL, 1793491200000, 29891520, NULL, NULL, 1, 152, '\xdc003101a768656c6c6f2030a0c0c0a0900000000000c0c0c2cf000001a19467e800a0a00100000000cf000001a19467e800cf000001a19467e800cf000001a19467e80000cf000001a19467e80000c3000000ce240c8400000000000000a000ce01c81bc00100a0000000');
INSERT INTO old.spaces_p0 VALUES (1, 11, 3, 0, 1, 0, 1, 0, 0, 0, 0, 4, 386);
ALTER TABLE ONLY old.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (namespace, class, owner_len, owner, kind, name);
ALTER TABLE ONLY old.entries_p0
    ADD CONSTRAINT entries_p0_pkey PRIMARY KEY (namespace, class, owner_len, owner, kind, name);
ALTER TABLE ONLY old.entries_p1
    ADD CONSTRAINT entries_p1_pkey PRIMARY KEY (namespace, class, owner_len, owner, kind, name);
ALTER TABLE ONLY old.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (namespace, user_id);
ALTER TABLE ONLY old.erasures_p0
    ADD CONSTRAINT erasures_p0_pkey PRIMARY KEY (namespace, user_id);
ALTER TABLE ONLY old.erasures_p1
    ADD CONSTRAINT erasures_p1_pkey PRIMARY KEY (namespace, user_id);
ALTER TABLE ONLY old.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (namespace, "position");
ALTER TABLE ONLY old.events_p0
    ADD CONSTRAINT events_p0_pkey PRIMARY KEY (namespace, "position");
ALTER TABLE ONLY old.events_p1
    ADD CONSTRAINT events_p1_pkey PRIMARY KEY (namespace, "position");
ALTER TABLE ONLY old.logs
    ADD CONSTRAINT logs_pkey PRIMARY KEY (namespace, incarnation);
ALTER TABLE ONLY old.logs_p0
    ADD CONSTRAINT logs_p0_pkey PRIMARY KEY (namespace, incarnation);
ALTER TABLE ONLY old.logs_p1
    ADD CONSTRAINT logs_p1_pkey PRIMARY KEY (namespace, incarnation);
ALTER TABLE ONLY old.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (namespace, incarnation, seq);
ALTER TABLE ONLY old.messages_p0
    ADD CONSTRAINT messages_p0_pkey PRIMARY KEY (namespace, incarnation, seq);
ALTER TABLE ONLY old.messages_p1
    ADD CONSTRAINT messages_p1_pkey PRIMARY KEY (namespace, incarnation, seq);
ALTER TABLE ONLY old.schema
    ADD CONSTRAINT schema_pkey PRIMARY KEY (one);
ALTER TABLE ONLY old.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (namespace, id);
ALTER TABLE ONLY old.sessions_p0
    ADD CONSTRAINT sessions_p0_pkey PRIMARY KEY (namespace, id);
ALTER TABLE ONLY old.sessions_p1
    ADD CONSTRAINT sessions_p1_pkey PRIMARY KEY (namespace, id);
ALTER TABLE ONLY old.spaces
    ADD CONSTRAINT spaces_pkey PRIMARY KEY (namespace);
ALTER TABLE ONLY old.spaces_p0
    ADD CONSTRAINT spaces_p0_pkey PRIMARY KEY (namespace);
ALTER TABLE ONLY old.spaces_p1
    ADD CONSTRAINT spaces_p1_pkey PRIMARY KEY (namespace);
CREATE INDEX logs_until ON ONLY old.logs USING btree (until, namespace, incarnation);
CREATE INDEX logs_p0_until_namespace_incarnation_idx ON old.logs_p0 USING btree (until, namespace, incarnation);
CREATE INDEX logs_p1_until_namespace_incarnation_idx ON old.logs_p1 USING btree (until, namespace, incarnation);
CREATE INDEX messages_id ON ONLY old.messages USING btree (namespace, incarnation, id);
CREATE INDEX messages_p0_namespace_incarnation_id_idx ON old.messages_p0 USING btree (namespace, incarnation, id);
CREATE INDEX messages_p1_namespace_incarnation_id_idx ON old.messages_p1 USING btree (namespace, incarnation, id);
CREATE INDEX sessions_active ON ONLY old.sessions USING btree (namespace, active_minute, id);
CREATE INDEX sessions_created ON ONLY old.sessions USING btree (namespace, created, id);
CREATE INDEX sessions_due ON ONLY old.sessions USING btree (due, namespace, id) WHERE (due IS NOT NULL);
CREATE INDEX sessions_expires ON ONLY old.sessions USING btree (namespace, expires) WHERE (expires IS NOT NULL);
CREATE INDEX sessions_incarnation ON ONLY old.sessions USING btree (namespace, incarnation);
CREATE INDEX sessions_p0_due_namespace_id_idx ON old.sessions_p0 USING btree (due, namespace, id) WHERE (due IS NOT NULL);
CREATE INDEX sessions_p0_namespace_active_minute_id_idx ON old.sessions_p0 USING btree (namespace, active_minute, id);
CREATE INDEX sessions_p0_namespace_created_id_idx ON old.sessions_p0 USING btree (namespace, created, id);
CREATE INDEX sessions_p0_namespace_expires_idx ON old.sessions_p0 USING btree (namespace, expires) WHERE (expires IS NOT NULL);
CREATE INDEX sessions_p0_namespace_incarnation_idx ON old.sessions_p0 USING btree (namespace, incarnation);
CREATE INDEX sessions_user ON ONLY old.sessions USING btree (namespace, user_id, created, id) WHERE (user_id IS NOT NULL);
CREATE INDEX sessions_p0_namespace_user_id_created_id_idx ON old.sessions_p0 USING btree (namespace, user_id, created, id) WHERE (user_id IS NOT NULL);
CREATE INDEX sessions_p1_due_namespace_id_idx ON old.sessions_p1 USING btree (due, namespace, id) WHERE (due IS NOT NULL);
CREATE INDEX sessions_p1_namespace_active_minute_id_idx ON old.sessions_p1 USING btree (namespace, active_minute, id);
CREATE INDEX sessions_p1_namespace_created_id_idx ON old.sessions_p1 USING btree (namespace, created, id);
CREATE INDEX sessions_p1_namespace_expires_idx ON old.sessions_p1 USING btree (namespace, expires) WHERE (expires IS NOT NULL);
CREATE INDEX sessions_p1_namespace_incarnation_idx ON old.sessions_p1 USING btree (namespace, incarnation);
CREATE INDEX sessions_p1_namespace_user_id_created_id_idx ON old.sessions_p1 USING btree (namespace, user_id, created, id) WHERE (user_id IS NOT NULL);
ALTER INDEX old.entries_pkey ATTACH PARTITION old.entries_p0_pkey;
ALTER INDEX old.entries_pkey ATTACH PARTITION old.entries_p1_pkey;
ALTER INDEX old.erasures_pkey ATTACH PARTITION old.erasures_p0_pkey;
ALTER INDEX old.erasures_pkey ATTACH PARTITION old.erasures_p1_pkey;
ALTER INDEX old.events_pkey ATTACH PARTITION old.events_p0_pkey;
ALTER INDEX old.events_pkey ATTACH PARTITION old.events_p1_pkey;
ALTER INDEX old.logs_pkey ATTACH PARTITION old.logs_p0_pkey;
ALTER INDEX old.logs_until ATTACH PARTITION old.logs_p0_until_namespace_incarnation_idx;
ALTER INDEX old.logs_pkey ATTACH PARTITION old.logs_p1_pkey;
ALTER INDEX old.logs_until ATTACH PARTITION old.logs_p1_until_namespace_incarnation_idx;
ALTER INDEX old.messages_id ATTACH PARTITION old.messages_p0_namespace_incarnation_id_idx;
ALTER INDEX old.messages_pkey ATTACH PARTITION old.messages_p0_pkey;
ALTER INDEX old.messages_id ATTACH PARTITION old.messages_p1_namespace_incarnation_id_idx;
ALTER INDEX old.messages_pkey ATTACH PARTITION old.messages_p1_pkey;
ALTER INDEX old.sessions_due ATTACH PARTITION old.sessions_p0_due_namespace_id_idx;
ALTER INDEX old.sessions_active ATTACH PARTITION old.sessions_p0_namespace_active_minute_id_idx;
ALTER INDEX old.sessions_created ATTACH PARTITION old.sessions_p0_namespace_created_id_idx;
ALTER INDEX old.sessions_expires ATTACH PARTITION old.sessions_p0_namespace_expires_idx;
ALTER INDEX old.sessions_incarnation ATTACH PARTITION old.sessions_p0_namespace_incarnation_idx;
ALTER INDEX old.sessions_user ATTACH PARTITION old.sessions_p0_namespace_user_id_created_id_idx;
ALTER INDEX old.sessions_pkey ATTACH PARTITION old.sessions_p0_pkey;
ALTER INDEX old.sessions_due ATTACH PARTITION old.sessions_p1_due_namespace_id_idx;
ALTER INDEX old.sessions_active ATTACH PARTITION old.sessions_p1_namespace_active_minute_id_idx;
ALTER INDEX old.sessions_created ATTACH PARTITION old.sessions_p1_namespace_created_id_idx;
ALTER INDEX old.sessions_expires ATTACH PARTITION old.sessions_p1_namespace_expires_idx;
ALTER INDEX old.sessions_incarnation ATTACH PARTITION old.sessions_p1_namespace_incarnation_idx;
ALTER INDEX old.sessions_user ATTACH PARTITION old.sessions_p1_namespace_user_id_created_id_idx;
ALTER INDEX old.sessions_pkey ATTACH PARTITION old.sessions_p1_pkey;
ALTER INDEX old.spaces_pkey ATTACH PARTITION old.spaces_p0_pkey;
ALTER INDEX old.spaces_pkey ATTACH PARTITION old.spaces_p1_pkey;
