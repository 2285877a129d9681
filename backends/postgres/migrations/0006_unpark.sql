-- Dead letters that a retry takes away must still be there: a retry moves no position, so that two workers that carry
-- out the same one are told apart here. Raises PDR01 with the partition; the position's row is locked already.
CREATE FUNCTION unpark(p_projection text, p_version integer, p_partition bigint[], p_offset bigint[]) RETURNS void
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM dead_letter d USING unnest(p_partition, p_offset) AS u (u_partition, u_offset)
      WHERE d.projection = p_projection AND d.version = p_version AND d.partition = u.u_partition
        AND d."offset" = u.u_offset;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone < cardinality(p_partition) THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', DETAIL = format('%s -1 -1 0 0', p_partition[1]),
            MESSAGE = format('partition %s: %s of %s events aren''t parked any more', p_partition[1],
                             cardinality(p_partition) - gone, cardinality(p_partition));
    END IF;
END
$$;
