"""What the loan applications' log says, by its CSV and the rules of examples/loans/README.md alone: the events that each row
means, and the state after each. Nothing here comes from perdure."""
import csv
import datetime
import gzip
import os

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "loans", "data",
                    "loan_applications.csv.gz")
STEPS = {"A_SUBMITTED": ("ApplicationSubmitted", "SUBMITTED"), "A_PARTLYSUBMITTED": ("ApplicationPartlySubmitted", "PARTLY_SUBMITTED"),
         "A_PREACCEPTED": ("ApplicationPreaccepted", "PREACCEPTED"), "A_ACCEPTED": ("ApplicationAccepted", "ACCEPTED"),
         "A_FINALIZED": ("ApplicationFinalized", "FINALIZED"), "A_APPROVED": ("ApplicationApproved", "APPROVED"),
         "A_REGISTERED": ("ApplicationRegistered", None), "A_ACTIVATED": ("ApplicationActivated", None),
         "A_DECLINED": ("ApplicationDeclined", "DECLINED"), "A_CANCELLED": ("ApplicationCancelled", "CANCELLED")}
OPEN = ("SELECTED", "CREATED", "SENT", "SENT_BACK")
# Event, status of the offer after it, statuses that it may have before, whether the oldest such offer is meant.
OFFERS = {"O_SELECTED": ("OfferSelected", "SELECTED", (), False), "O_CREATED": ("OfferCreated", "CREATED", ("SELECTED",), False),
          "O_SENT": ("OfferSent", "SENT", ("CREATED",), False), "O_SENT_BACK": ("OfferSentBack", "SENT_BACK", ("SENT",), False),
          "O_ACCEPTED": ("OfferAccepted", "ACCEPTED", ("SENT", "SENT_BACK"), False),
          "O_DECLINED": ("OfferDeclined", "DECLINED", ("SENT", "SENT_BACK"), False),
          "O_CANCELLED": ("OfferCancelled", "CANCELLED", OPEN, True)}
WORK = {"W_Afhandelen leads": "HANDLE_LEAD", "W_Beoordelen fraude": "ASSESS_FRAUD", "W_Completeren aanvraag": "COMPLETE_APPLICATION",
        "W_Nabellen incomplete dossiers": "CHASE_INCOMPLETE_FILE", "W_Nabellen offertes": "CALL_ABOUT_OFFER",
        "W_Valideren aanvraag": "VALIDATE_APPLICATION", "W_Wijzigen contractgegevens": "CHANGE_CONTRACT"}
WORK_STEPS = {"SCHEDULE": "WorkItemScheduled", "START": "WorkItemStarted", "COMPLETE": "WorkItemCompleted"}


def rows():
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def micros(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


class Event:
    def __init__(self, seq, us, name, event, command):
        self.seq, self.us, self.type, self.event, self.command = seq, us, "loans." + name, event, command


class Application:
    """states[n] is the state after event n; states[0] before the first."""

    def __init__(self, name):
        self.entity = "loan/" + name
        self.events = []
        self.states = [{"status": "NONE", "registered": False, "activated": False, "amount_cents": 0, "submitted_at": 0,
                        "changed_at": 0, "offers": [], "work": [], "employees": []}]

    def take(self, row, number):
        us, employee = micros(row["at"]), int(row["resource"]) if row["resource"] else None
        before = self.states[-1]
        state = dict(before, offers=list(before["offers"]), work=[dict(w) for w in before["work"]],
                     employees=list(before["employees"]), changed_at=us)
        event = {"by": {"employee": employee}}
        name = getattr(self, "take_" + row["activity"][0].lower())(row, state, event)
        if employee is not None and employee not in state["employees"]:
            state["employees"].append(employee)
        if row["activity"] == "A_SUBMITTED":
            state["submitted_at"] = us
        self.events.append(Event(len(self.events) + 1, us, name, event, str(number)))
        self.states.append(state)

    @staticmethod
    def take_a(row, state, event):
        name, status = STEPS[row["activity"]]
        if status:
            state["status"] = status
        else:
            state[row["activity"][2:].lower()] = True
        if status == "SUBMITTED":
            state["amount_cents"] = int(row["amount_requested"]) * 100
            event.update(amount=float(row["amount_requested"]), currency="EUR")
        return name

    @staticmethod
    def take_o(row, state, event):
        name, after, before, oldest = OFFERS[row["activity"]]
        if not before:
            state["offers"].append(after)
            event["offer"] = len(state["offers"])
            return name
        fit = [i for i, status in enumerate(state["offers"]) if status in before]
        place = fit[0] if oldest else fit[-1]
        state["offers"][place] = after
        event["offer"] = place + 1
        return name

    @staticmethod
    def take_w(row, state, event):
        kind = event["work"] = WORK[row["activity"]]
        work = next((w for w in state["work"] if w["kind"] == kind), None)
        if work is None:
            work = {"kind": kind, "scheduled": 0, "completed": 0, "running": 0}
            state["work"].append(work)
        if row["transition"] == "SCHEDULE":
            work["scheduled"] += 1
        elif row["transition"] == "START":
            work["running"] += 1
        else:
            work["completed"] += 1
            work["running"] = max(0, work["running"] - 1)
        return WORK_STEPS[row["transition"]]


class Excerpt:
    """Every so many-th application of the log, with all of its rows, as a file of its own; row numbers are the file's."""

    def __init__(self, path, every):
        self.applications, numbers = {}, {}
        with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
            out, number = None, 0
            for row in rows():
                place = numbers.setdefault(row["application"], len(numbers))
                if place % every:
                    continue
                if out is None:
                    out = csv.DictWriter(file, row.keys(), lineterminator="\n")
                    out.writeheader()
                out.writerow(row)
                number += 1
                application = self.applications.setdefault(row["application"], Application(row["application"]))
                application.take(row, number)
        self.rows = number

    def twenty(self):
        """Some that came to each end, the longest among them."""
        chosen, everyone = [], sorted(self.applications.values(), key=lambda a: (-len(a.events), a.entity))
        for status in ("APPROVED", "DECLINED", "CANCELLED"):
            chosen += [a for a in everyone if a.states[-1]["status"] == status][:6]
        return (chosen + [a for a in reversed(everyone) if a not in chosen])[:20]


def changes(before, after, path=""):
    """(path, from, to) of all that differs; None: it isn't there."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in list(after) + [k for k in before if k not in after]:
            found += changes(before.get(key), after.get(key), "%s.%s" % (path, key))
        return found
    if isinstance(before, list) and isinstance(after, list):
        found = []
        for i in range(max(len(before), len(after))):
            found += changes(before[i] if i < len(before) else None, after[i] if i < len(after) else None,
                             "%s[%d]" % (path, i))
        return found
    return [] if before == after else [(path, before, after)]
