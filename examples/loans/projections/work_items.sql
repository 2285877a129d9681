-- How long work waits for somebody, and how long somebody works on it: per kind of work and day (UTC) on which
-- the waiting, or the working, ended.
--
-- Work waits from the moment at which it is scheduled until it is started, and is worked on from its start until
-- it is laid down, done or interrupted. Work that is scheduled again while it waits, or started again while it
-- runs, has waited, or run, since the first time. What is laid down without a start counts as a completion only.
projection work_items version 1;

-- Work that waits or runs now.
table open_work (
    application   text,
    work          text,
    waiting_since timestamptz,
    running_since timestamptz,
    employee      integer,
    primary key (application, work)
) key entity (entity.key, event.work);

table work_durations (
    day             date,
    work            text,
    waits           bigint not null default 0,
    waiting_seconds bigint not null default 0,
    longest_wait    bigint,
    runs            bigint not null default 0,
    working_seconds bigint not null default 0,
    longest_run     bigint,
    completions     bigint not null default 0,
    primary key (day, work)
) key shared (date(time), event.work);

on loans.WorkItemScheduled
    upsert open_work set waiting_since = coalesce(waiting_since, time);

on loans.WorkItemStarted
    upsert open_work set
        waiting_since = null,
        running_since = coalesce(running_since, time),
        employee = event.by.employee;
on loans.WorkItemStarted when open_work.waiting_since is not null
    upsert work_durations set
        waits = waits + 1,
        waiting_seconds = waiting_seconds + seconds(time - open_work.waiting_since),
        longest_wait = greatest(longest_wait, seconds(time - open_work.waiting_since));

on loans.WorkItemCompleted
    upsert work_durations set completions = completions + 1;
on loans.WorkItemCompleted when open_work.running_since is not null
    upsert work_durations set
        runs = runs + 1,
        working_seconds = working_seconds + seconds(time - open_work.running_since),
        longest_run = greatest(longest_run, seconds(time - open_work.running_since));
on loans.WorkItemCompleted when open_work.waiting_since is null
    delete open_work;
on loans.WorkItemCompleted when open_work.waiting_since is not null
    upsert open_work set running_since = null, employee = null;
