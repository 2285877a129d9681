-- Heads, states, one row per partition. docs/formats/store.md says what each column means.
-- Unsigned 64-bit numbers are kept in bigint by their bits: 2^63 and above show as negative.

CREATE TABLE meta (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    journal_id uuid    NOT NULL,
    partitions integer NOT NULL CHECK (partitions > 0)
);

-- Updated by every save: free space in the page keeps these updates off the index (HOT).
CREATE TABLE partition (
    partition                   integer PRIMARY KEY,
    store_id                    uuid    NOT NULL,
    term_offset                 bigint  NOT NULL DEFAULT -1,
    term_incarnation            bigint  NOT NULL DEFAULT 0,
    saves                       bigint  NOT NULL DEFAULT 0,
    checkpoint_offset           bigint  NOT NULL DEFAULT -1,
    checkpoint_term_offset      bigint  NOT NULL DEFAULT -1,
    checkpoint_term_incarnation bigint  NOT NULL DEFAULT 0,
    checkpoint_number           bigint  NOT NULL DEFAULT 0,
    seen_offset                 bigint  NOT NULL DEFAULT -1,
    seen_term_offset            bigint  NOT NULL DEFAULT -1,
    seen_term_incarnation       bigint  NOT NULL DEFAULT 0,
    seen_number                 bigint  NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- Keys compare by bytes. Nothing but the key is indexed, so that an upsert of a known entity stays HOT.
CREATE TABLE head (
    key                   text COLLATE "C" PRIMARY KEY,
    partition             integer NOT NULL,
    seq                   bigint  NOT NULL,
    last_offset           bigint  NOT NULL,
    last_term_offset      bigint  NOT NULL,
    last_term_incarnation bigint  NOT NULL,
    last_number           bigint  NOT NULL,
    timer_us              bigint,
    ids                   bytea   NOT NULL
) WITH (fillfactor = 70, toast_tuple_target = 8160);

-- Command ids hardly compress, and every look-up needs them.
ALTER TABLE head ALTER COLUMN ids SET STORAGE EXTERNAL;

CREATE TABLE state (
    key      text COLLATE "C",
    revision bigint,
    seq      bigint NOT NULL,
    bytes    bytea  NOT NULL,
    PRIMARY KEY (key, revision)
) WITH (fillfactor = 70);

CREATE TABLE schema (
    fingerprint bigint PRIMARY KEY,
    name        text   NOT NULL,
    json        text   NOT NULL
);

CREATE TABLE takeover (
    partition        integer NOT NULL,
    term_offset      bigint  NOT NULL,
    term_incarnation bigint  NOT NULL,
    at_us            bigint  NOT NULL,
    address          text    NOT NULL,
    PRIMARY KEY (partition, term_offset, term_incarnation)
);
