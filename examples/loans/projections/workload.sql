-- What each employee did on each day (UTC). Work counts for who took it up, on the day on which it was laid down;
-- what names no employee isn't here.
projection workload version 1;

-- Work that runs now, and who took it up.
table running_work (
    application text,
    work        text,
    employee    integer,
    since       timestamptz,
    primary key (application, work)
) key entity (entity.key, event.work);

table workload (
    employee        integer,
    day             date,
    activities      bigint not null default 0,
    offers          bigint not null default 0,
    decisions       bigint not null default 0,
    started         bigint not null default 0,
    finished        bigint not null default 0,
    working_seconds bigint not null default 0,
    first_at        timestamptz,
    last_at         timestamptz,
    primary key (employee, day)
) key shared (event.by.employee, date(time));

-- Every event.
on loans.ApplicationSubmitted, loans.ApplicationPartlySubmitted, loans.ApplicationPreaccepted,
   loans.ApplicationAccepted, loans.ApplicationFinalized, loans.ApplicationApproved, loans.ApplicationRegistered,
   loans.ApplicationActivated, loans.ApplicationDeclined, loans.ApplicationCancelled, loans.DeclineLetterSent,
   loans.OfferSelected, loans.OfferCreated, loans.OfferSent, loans.OfferSentBack, loans.OfferAccepted,
   loans.OfferDeclined, loans.OfferCancelled, loans.WorkItemScheduled, loans.WorkItemStarted,
   loans.WorkItemCompleted
   when event.by.employee is not null
    upsert workload set
        activities = activities + 1,
        first_at = least(first_at, time),
        last_at = greatest(last_at, time);

on loans.OfferCreated when event.by.employee is not null
    upsert workload set offers = offers + 1;
on loans.ApplicationApproved, loans.ApplicationDeclined, loans.ApplicationCancelled when event.by.employee is not null
    upsert workload set decisions = decisions + 1;

on loans.WorkItemStarted
    upsert running_work set employee = coalesce(employee, event.by.employee), since = coalesce(since, time);
on loans.WorkItemStarted when event.by.employee is not null
    upsert workload set started = started + 1;
on loans.WorkItemCompleted when running_work.employee is not null
    upsert workload key (running_work.employee, date(time)) set
        finished = finished + 1,
        working_seconds = working_seconds + seconds(time - running_work.since);
on loans.WorkItemCompleted
    delete running_work;
