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
-- partition queue here. Raises PDR01 with the first partition that stands elsewhere.
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
    IF moved = cardinality(p_partition) THEN
        RETURN;
    END IF;
    SELECT m.m_partition, p."offset", p.worker INTO other
      FROM unnest(p_partition, from_offset, from_term, from_incarnation, from_number)
        AS m(m_partition, f_offset, f_term, f_incarnation, f_number)
      LEFT JOIN projection_position p
        ON p.projection = p_projection AND p.version = p_version AND p.partition = m.m_partition
      WHERE (p."offset", p.term_offset, p.term_incarnation, p.number)
        IS DISTINCT FROM (m.f_offset, m.f_term, m.f_incarnation, m.f_number)
      ORDER BY m.m_partition LIMIT 1;
    IF other."offset" IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = other.m_partition::text,
            MESSAGE = format('version %s of projection %s has no position for partition %s (any more)', p_version,
                             p_projection, other.m_partition);
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = other.m_partition::text,
        MESSAGE = format('the position of partition %s was moved to offset %s by worker %s', other.m_partition,
                         other."offset", other.worker);
END
$$;
