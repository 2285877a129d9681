-- Read your writes: is the event that a token names in the views, as the query that asks sees them? docs/formats/token.md.

CREATE FUNCTION view_ready(projection text, token text) RETURNS text
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
    bytes bytea;
    wanted bigint;
    live record;
BEGIN
    IF view_ready.token ~ '^[A-Za-z0-9_-]{48}$' THEN
        bytes := decode(translate(view_ready.token, '-_', '+/'), 'base64');
    END IF;
    IF bytes IS NULL OR get_byte(bytes, 0) <> 1 THEN
        RAISE EXCEPTION 'not a token of version 1' USING ERRCODE = '22023';
    END IF;
    wanted := ('x' || encode(substr(bytes, 21, 8), 'hex'))::bit(64)::bigint;
    SELECT v.version, v.journal_id, p."offset" AS reached INTO live
      FROM projection_version v LEFT JOIN projection_position p ON p.projection = v.projection AND p.version = v.version
        AND p.partition = ('x00' || encode(substr(bytes, 2, 3), 'hex'))::bit(32)::integer
      WHERE v.projection = view_ready.projection AND v.state = 1;
    IF NOT FOUND THEN
        RETURN 'no such projection';
    ELSIF live.journal_id <> encode(substr(bytes, 5, 16), 'hex')::uuid OR live.reached IS NULL THEN
        RETURN 'wrong journal';
    ELSIF EXISTS (SELECT FROM dead_letter d WHERE d.projection = view_ready.projection AND d.version = live.version
        AND d.partition = ('x00' || encode(substr(bytes, 2, 3), 'hex'))::bit(32)::integer AND d."offset" <= wanted
        AND substr(sha256(convert_to(d.entity, 'UTF8')), 1, 8) = substr(bytes, 29, 8)) THEN
        RETURN 'parked';
    END IF;
    RETURN CASE WHEN live.reached >= wanted THEN 'ready' ELSE 'behind' END;
END
$$;
