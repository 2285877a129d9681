-- What ./dev bench projections projects: the newest of each account, and a count.
projection bench_accounts version 1;

table bench_accounts (
    account text,
    total   bigint not null default 0,
    adds    bigint not null default 0,
    note    text,
    changed timestamptz,
    primary key (account)
) key entity (entity.key);

on bench.Added
    upsert bench_accounts set total = event.total, adds = adds + 1, note = event.note, changed = time;
