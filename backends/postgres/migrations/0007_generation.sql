-- A version that is reset, or dropped and made anew, may come to stand at exactly the positions where it stood before.
-- The generation, drawn anew each time, tells a batch of before from one of after.
ALTER TABLE projection_position ADD COLUMN generation bigint NOT NULL DEFAULT hashtextextended(gen_random_uuid()::text, 0);

-- As in 0003, and compares generations.
DROP FUNCTION move_positions(text, integer, text, bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[],
    bigint[], bigint[], bigint[], bigint[]);
CREATE FUNCTION move_positions(p_projection text, p_version integer, p_worker text, p_partition bigint[],
    p_generation bigint[], from_offset bigint[], from_term bigint[], from_incarnation bigint[], from_number bigint[],
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
    SELECT m.m_partition, m.m_generation, p."offset", p.term_offset, p.term_incarnation, p.number, p.worker, p.generation
      INTO other
      FROM unnest(p_partition, p_generation, from_offset, from_term, from_incarnation, from_number)
        AS m(m_partition, m_generation, f_offset, f_term, f_incarnation, f_number)
      LEFT JOIN projection_position p
        ON p.projection = p_projection AND p.version = p_version AND p.partition = m.m_partition
      WHERE (p.generation, p."offset", p.term_offset, p.term_incarnation, p.number)
        IS DISTINCT FROM (m.m_generation, m.f_offset, m.f_term, m.f_incarnation, m.f_number)
      ORDER BY m.m_partition LIMIT 1;
    IF FOUND AND other."offset" IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = format('%s -1 -1 0 0', other.m_partition),
            MESSAGE = format('version %s of projection %s has no position for partition %s (any more)', p_version,
                             p_projection, other.m_partition);
    ELSIF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = format('%s %s %s %s %s', other.m_partition, other."offset",
                other.term_offset, other.term_incarnation, other.number),
            MESSAGE = CASE WHEN other.generation <> other.m_generation
                THEN format('version %s of projection %s was emptied or made anew meanwhile', p_version, p_projection)
                ELSE format('the position of partition %s was moved to offset %s by worker %s', other.m_partition,
                            other."offset", other.worker) END;
    END IF;
    UPDATE projection_position p SET "offset" = m.t_offset, term_offset = m.t_term, term_incarnation = m.t_incarnation,
        number = m.t_number, event_time_us = coalesce(m.m_time, p.event_time_us), events = p.events + m.m_events,
        updated = clock_timestamp(), worker = p_worker
      FROM unnest(p_partition, p_generation, from_offset, from_term, from_incarnation, from_number, to_offset, to_term,
                  to_incarnation, to_number, p_time, p_events)
        AS m(m_partition, m_generation, f_offset, f_term, f_incarnation, f_number, t_offset, t_term, t_incarnation,
             t_number, m_time, m_events)
      WHERE p.projection = p_projection AND p.version = p_version AND p.partition = m.m_partition
        AND p.generation = m.m_generation AND p."offset" = m.f_offset AND p.term_offset = m.f_term
        AND p.term_incarnation = m.f_incarnation AND p.number = m.f_number;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(p_partition) THEN -- a reset made the positions anew while the locks were waited for
        RAISE EXCEPTION USING ERRCODE = '40001',
            MESSAGE = format('positions of projection %s were made anew meanwhile', p_projection);
    END IF;
END
$$;
