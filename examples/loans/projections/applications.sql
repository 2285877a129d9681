-- Where each application stands, and how many came to which end on which day (UTC).
projection applications version 1;

table applications (
    application text,
    status      text not null default 'SUBMITTED',
    registered  boolean not null default false,
    activated   boolean not null default false,
    amount      numeric(14,2),
    currency    text,
    offers      integer not null default 0,
    events      integer not null default 0,
    submitted   timestamptz,
    changed     timestamptz,
    primary key (application)
) key entity (entity.key)
  index (status)
  index (changed);

table outcomes (
    day          date,
    outcome      text,
    applications bigint not null default 0,
    amount       numeric(18,2) not null default 0,
    primary key (day, outcome)
) key shared (date(time), 'NONE');

-- Every event.
on loans.ApplicationSubmitted, loans.ApplicationPartlySubmitted, loans.ApplicationPreaccepted,
   loans.ApplicationAccepted, loans.ApplicationFinalized, loans.ApplicationApproved, loans.ApplicationRegistered,
   loans.ApplicationActivated, loans.ApplicationDeclined, loans.ApplicationCancelled, loans.DeclineLetterSent,
   loans.OfferSelected, loans.OfferCreated, loans.OfferSent, loans.OfferSentBack, loans.OfferAccepted,
   loans.OfferDeclined, loans.OfferCancelled, loans.WorkItemScheduled, loans.WorkItemStarted,
   loans.WorkItemCompleted
    upsert applications set events = events + 1, changed = time;

on loans.ApplicationSubmitted
    upsert applications set amount = event.amount, currency = event.currency, submitted = time;
on loans.ApplicationPartlySubmitted upsert applications set status = 'PARTLY_SUBMITTED';
on loans.ApplicationPreaccepted     upsert applications set status = 'PREACCEPTED';
on loans.ApplicationAccepted        upsert applications set status = 'ACCEPTED';
on loans.ApplicationFinalized       upsert applications set status = 'FINALIZED';
on loans.ApplicationRegistered      upsert applications set registered = true;
on loans.ApplicationActivated       upsert applications set activated = true;
on loans.OfferSelected              upsert applications set offers = offers + 1;

-- The three ends that an application can come to. Its amount is in its row since it was submitted.
on loans.ApplicationApproved
    upsert applications set status = 'APPROVED'
    upsert outcomes key (date(time), 'APPROVED')
        set applications = applications + 1, amount = amount + coalesce(applications.amount, 0);
on loans.ApplicationDeclined
    upsert applications set status = 'DECLINED'
    upsert outcomes key (date(time), 'DECLINED')
        set applications = applications + 1, amount = amount + coalesce(applications.amount, 0);
on loans.ApplicationCancelled
    upsert applications set status = 'CANCELLED'
    upsert outcomes key (date(time), 'CANCELLED')
        set applications = applications + 1, amount = amount + coalesce(applications.amount, 0);
