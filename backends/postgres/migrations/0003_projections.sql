-- Versions of projections, their positions, dead letters and requests. docs/formats/views.md says what each column means.

CREATE TABLE projection_version (
    projection  text     NOT NULL,
    version     integer  NOT NULL CHECK (version > 0),
    state       smallint NOT NULL, -- 0 building, 1 live, 2 former; kept while it is stopped
    paused      boolean  NOT NULL DEFAULT false,
    fingerprint bigint   NOT NULL,
    throttle    integer  NOT NULL DEFAULT 0,
    fault       text     NOT NULL DEFAULT '',
    journal_id  uuid     NOT NULL,
    partitions  integer  NOT NULL,
    tables      text[]   NOT NULL, -- as readers call them
    created     timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, version)
);
CREATE UNIQUE INDEX one_live_version ON projection_version (projection) WHERE state = 1;

-- Updated by every batch: free space in the page keeps these updates off the index (HOT).
CREATE TABLE projection_position (
    projection       text    NOT NULL,
    version          integer NOT NULL,
    partition        integer NOT NULL,
    "offset"         bigint  NOT NULL DEFAULT -1,
    term_offset      bigint  NOT NULL DEFAULT -1,
    term_incarnation bigint  NOT NULL DEFAULT 0,
    number           bigint  NOT NULL DEFAULT 0,
    event_time_us    bigint, -- of the newest event covered
    events           bigint  NOT NULL DEFAULT 0,
    updated          timestamptz NOT NULL DEFAULT clock_timestamp(),
    worker           text    NOT NULL DEFAULT '',
    PRIMARY KEY (projection, version, partition),
    FOREIGN KEY (projection, version) REFERENCES projection_version ON DELETE CASCADE
) WITH (fillfactor = 20);

CREATE TABLE dead_letter (
    projection              text    NOT NULL,
    version                 integer NOT NULL,
    partition               integer NOT NULL,
    "offset"                bigint  NOT NULL,
    before_offset           bigint  NOT NULL,
    before_term_offset      bigint  NOT NULL,
    before_term_incarnation bigint  NOT NULL,
    before_number           bigint  NOT NULL,
    entity                  text COLLATE "C" NOT NULL,
    seq                     bigint  NOT NULL,
    behind                  boolean NOT NULL,
    attempts                integer NOT NULL,
    first_us                bigint  NOT NULL,
    last_us                 bigint  NOT NULL,
    reason                  text    NOT NULL,
    PRIMARY KEY (projection, version, partition, "offset"),
    FOREIGN KEY (projection, version) REFERENCES projection_version ON DELETE CASCADE
);
CREATE INDEX dead_letter_entity ON dead_letter (projection, version, entity);

CREATE TABLE projection_request (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text     NOT NULL,
    version    integer  NOT NULL,
    kind       smallint NOT NULL, -- 0 retry, 1 skip
    partition  integer  NOT NULL,
    entity     text COLLATE "C" NOT NULL,
    asked      timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (projection, version) REFERENCES projection_version ON DELETE CASCADE
);

-- Compare and move the positions of one batch; the first statement of its transaction, so that two workers of one
-- partition queue here. Raises PDR01 with the first partition that stands elsewhere; the detail says where: partition,
-- offset, term, number.
CREATE FUNCTION move_positions(p_projection text, p_version integer, p_worker text, p_partition bigint[],
    from_offset bigint[], from_term bigint[], from_incarnation bigint[], from_number bigint[],
    to_offset bigint[], to_term bigint[], to_incarnation bigint[], to_number bigint[],
    p_time bigint[], p_events bigint[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    moved integer;
    other record;
BEGIN
    -- in one order, whatever the plan: two batches of several partitions never wait for each other in a circle
    PERFORM 1 FROM projection_position p
      WHERE p.projection = p_projection AND p.version = p_version AND p.partition = ANY (p_partition)
      ORDER BY p.partition FOR NO KEY UPDATE;
    SELECT m.m_partition, p."offset", p.term_offset, p.term_incarnation, p.number, p.worker INTO other
      FROM unnest(p_partition, from_offset, from_term, from_incarnation, from_number)
        AS m(m_partition, f_offset, f_term, f_incarnation, f_number)
      LEFT JOIN projection_position p
        ON p.projection = p_projection AND p.version = p_version AND p.partition = m.m_partition
      WHERE (p."offset", p.term_offset, p.term_incarnation, p.number)
        IS DISTINCT FROM (m.f_offset, m.f_term, m.f_incarnation, m.f_number)
      ORDER BY m.m_partition LIMIT 1;
    IF FOUND AND other."offset" IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = format('%s -1 -1 0 0', other.m_partition),
            MESSAGE = format('version %s of projection %s has no position for partition %s (any more)', p_version,
                             p_projection, other.m_partition);
    ELSIF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = format('%s %s %s %s %s', other.m_partition, other."offset",
                other.term_offset, other.term_incarnation, other.number),
            MESSAGE = format('the position of partition %s was moved to offset %s by worker %s', other.m_partition,
                             other."offset", other.worker);
    END IF;
    UPDATE projection_position p SET "offset" = m.t_offset, term_offset = m.t_term, term_incarnation = m.t_incarnation,
        number = m.t_number, event_time_us = coalesce(m.m_time, p.event_time_us), events = p.events + m.m_events,
        updated = clock_timestamp(), worker = p_worker
      FROM unnest(p_partition, from_offset, from_term, from_incarnation, from_number, to_offset, to_term, to_incarnation,
                  to_number, p_time, p_events)
        AS m(m_partition, f_offset, f_term, f_incarnation, f_number, t_offset, t_term, t_incarnation, t_number, m_time,
             m_events)
      WHERE p.projection = p_projection AND p.version = p_version AND p.partition = m.m_partition
        AND p."offset" = m.f_offset AND p.term_offset = m.f_term AND p.term_incarnation = m.f_incarnation
        AND p.number = m.f_number;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(p_partition) THEN -- a reset made the positions anew while the locks were waited for
        RAISE EXCEPTION USING ERRCODE = '40001',
            MESSAGE = format('positions of projection %s were made anew meanwhile', p_projection);
    END IF;
END
$$;

-- Readers' view of a table shows this version of it. With other columns it is made anew, and keeps its grants.
CREATE FUNCTION show_version(p_schema text, p_table text, p_version integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    definition text := format('VIEW %I.%I AS SELECT * FROM %I.%I', p_schema, p_table, p_schema, p_table || '__v' || p_version);
    grants text[];
    statement text;
BEGIN
    EXECUTE 'CREATE OR REPLACE ' || definition;
EXCEPTION WHEN invalid_table_definition THEN
    SELECT array_agg(format('GRANT %s ON %I.%I TO %s%s', a.privilege_type, p_schema, p_table,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)) INTO grants
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
      WHERE n.nspname = p_schema AND c.relname = p_table AND a.grantee <> c.relowner;
    EXECUTE format('DROP VIEW %I.%I', p_schema, p_table);
    EXECUTE 'CREATE ' || definition;
    FOREACH statement IN ARRAY coalesce(grants, '{}') LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
