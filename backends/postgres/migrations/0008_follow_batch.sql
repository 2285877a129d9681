-- A batch may be sent before the answer to the one before has come. It is refused if that one wasn't carried out, though
-- the positions may stand where it begins: another worker may have brought them there with other rows. The session
-- remembers the last batch that was carried out, for a setting made in a transaction goes with it. p_after 0: the batch
-- rests on none.
CREATE FUNCTION follow_batch(p_projection text, p_version integer, p_after bigint, p_batch bigint) RETURNS void
  LANGUAGE plpgsql AS $$
DECLARE
    place text := format('perdure.%s_v%s', p_projection, p_version);
BEGIN
    IF p_after <> 0 AND current_setting(place, true) IS DISTINCT FROM p_after::text THEN
        RAISE EXCEPTION USING ERRCODE = 'PDR01', MESSAGE = 'the batch that this one rests on was not carried out';
    END IF;
    PERFORM set_config(place, p_batch::text, false);
END
$$;
