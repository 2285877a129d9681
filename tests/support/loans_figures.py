"""The loans example's views, computed from its CSV without a line of the product: what their rows must be."""
import collections
import csv
import datetime
import gzip

WORK = {"W_Afhandelen leads": "HANDLE_LEAD", "W_Beoordelen fraude": "ASSESS_FRAUD",
        "W_Completeren aanvraag": "COMPLETE_APPLICATION", "W_Nabellen incomplete dossiers": "CHASE_INCOMPLETE_FILE",
        "W_Nabellen offertes": "CALL_ABOUT_OFFER", "W_Valideren aanvraag": "VALIDATE_APPLICATION",
        "W_Wijzigen contractgegevens": "CHANGE_CONTRACT"}
STATUS = {"A_SUBMITTED": "SUBMITTED", "A_PARTLYSUBMITTED": "PARTLY_SUBMITTED", "A_PREACCEPTED": "PREACCEPTED",
          "A_ACCEPTED": "ACCEPTED", "A_FINALIZED": "FINALIZED", "A_APPROVED": "APPROVED", "A_DECLINED": "DECLINED",
          "A_CANCELLED": "CANCELLED"}
ENDS = ("A_APPROVED", "A_DECLINED", "A_CANCELLED")
EPOCH = datetime.datetime(1970, 1, 1)

# By table: the columns in the order in which rows are compared, the key first.
COLUMNS = {
    "applications": "application status registered activated amount currency offers events submitted changed",
    "outcomes": "day outcome applications amount",
    "open_work": "application work waiting_since running_since employee",
    "work_durations": "day work waits waiting_seconds longest_wait runs working_seconds longest_run completions",
    "running_work": "application work employee since",
    "workload": "employee day activities offers decisions started finished working_seconds first_at last_at",
}
# Which columns are what, so that two databases' ways of writing them can be compared.
TIMES = {"submitted", "changed", "waiting_since", "running_since", "since", "first_at", "last_at"}
BOOLEANS = {"registered", "activated"}
TABLES = {"applications": ("applications", "outcomes"), "work_items": ("open_work", "work_durations"),
          "workload": ("running_work", "workload")}
SHARED = ("outcomes", "work_durations", "workload")


def micros(text):
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") - EPOCH
    return (at.days * 86400 + at.seconds) * 1000000 + at.microseconds


def seconds(later, earlier):
    """Whole ones, half away from zero."""
    difference = later - earlier
    return (abs(difference) + 500000) // 1000000 * (1 if difference >= 0 else -1)


def rows_of(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            row["micros"] = micros(row["at"])
            row["day"] = row["at"][:10]
            row["employee"] = int(row["resource"]) if row["resource"] else None
            yield row


class Figures:
    """All six tables, as {key: {column: value}}; times are microseconds, days are texts, amounts are cents."""

    def __init__(self, path, rows=None):
        self.applications, self.outcomes = {}, collections.defaultdict(collections.Counter)
        self.open_work, self.work_durations = {}, {}
        self.running_work, self.workload = {}, {}
        self.newest = {}
        for number, row in enumerate(rows_of(path)):
            if rows is not None and number == rows:
                break
            self.application(row)
            self.work(row)
            self.employee(row)

    def application(self, row):
        mine = self.applications.setdefault(row["application"], {
            "status": "SUBMITTED", "registered": False, "activated": False, "amount": None, "currency": None,
            "offers": 0, "events": 0, "submitted": None})
        mine["events"] += 1
        mine["changed"] = row["micros"]
        activity = row["activity"]
        mine["status"] = STATUS.get(activity, mine["status"])
        mine["registered"] |= activity == "A_REGISTERED"
        mine["activated"] |= activity == "A_ACTIVATED"
        mine["offers"] += activity == "O_SELECTED"
        if activity == "A_SUBMITTED":
            mine["amount"], mine["currency"] = int(row["amount_requested"]) * 100, "EUR"
            mine["submitted"] = row["micros"]
        if activity in ENDS:
            end = self.outcomes[row["day"], STATUS[activity]]
            end["applications"] += 1
            end["amount"] += int(row["amount_requested"]) * 100  # the same in each row of an application

    def work(self, row):
        if row["activity"] not in WORK:
            return
        work, now = WORK[row["activity"]], row["micros"]
        key, step = (row["application"], work), row["transition"]
        item = self.open_work.get(key, {"waiting_since": None, "running_since": None, "employee": None})
        if step == "SCHEDULE":
            if item["waiting_since"] is None:
                item["waiting_since"] = now
            self.open_work[key] = item
            return
        if step == "START" and item["waiting_since"] is None:
            durations = None  # no wait ends, so there needn't be a row
        else:
            durations = self.work_durations.setdefault((row["day"], work), {
                "waits": 0, "waiting_seconds": 0, "longest_wait": None, "runs": 0, "working_seconds": 0,
                "longest_run": None, "completions": 0})
        if step == "START":
            if durations:
                self.ended(durations, "waits", "waiting_seconds", "longest_wait", seconds(now, item["waiting_since"]))
            item["waiting_since"], item["employee"] = None, row["employee"]
            if item["running_since"] is None:
                item["running_since"] = now
            self.open_work[key] = item
            return
        durations["completions"] += 1
        if item["running_since"] is not None:
            self.ended(durations, "runs", "working_seconds", "longest_run", seconds(now, item["running_since"]))
        if item["waiting_since"] is None:
            self.open_work.pop(key, None)
        else:
            item["running_since"] = item["employee"] = None

    @staticmethod
    def ended(durations, count, total, longest, took):
        durations[count] += 1
        durations[total] += took
        durations[longest] = took if durations[longest] is None else max(durations[longest], took)

    def of_employee(self, employee, day):
        return self.workload.setdefault((employee, day), {
            "activities": 0, "offers": 0, "decisions": 0, "started": 0, "finished": 0, "working_seconds": 0,
            "first_at": None, "last_at": None})

    def employee(self, row):
        activity, now, who, day = row["activity"], row["micros"], row["employee"], row["day"]
        if who is not None:
            mine = self.of_employee(who, day)
            mine["activities"] += 1
            mine["first_at"] = now if mine["first_at"] is None else min(mine["first_at"], now)
            mine["last_at"] = now if mine["last_at"] is None else max(mine["last_at"], now)
            mine["offers"] += activity == "O_CREATED"
            mine["decisions"] += activity in ENDS
            mine["started"] += activity in WORK and row["transition"] == "START"
        if activity not in WORK or row["transition"] == "SCHEDULE":
            return
        key = (row["application"], WORK[activity])
        if row["transition"] == "START":
            running = self.running_work.setdefault(key, {"employee": None, "since": None})
            if running["employee"] is None:
                running["employee"] = who
            if running["since"] is None:
                running["since"] = now
            return
        running = self.running_work.pop(key, None)
        if running and running["employee"] is not None:
            mine = self.of_employee(running["employee"], day)
            mine["finished"] += 1
            mine["working_seconds"] += seconds(now, running["since"])

    def table(self, name):
        """Sorted rows of plain texts; NULL is ""."""
        columns = COLUMNS[name].split()
        rows = []
        for key, values in getattr(self, name).items():
            cells = list(key) if isinstance(key, tuple) else [key]
            cells += [values[column] for column in columns[len(cells):]]
            rows.append(tuple(text(column, cell) for column, cell in zip(columns, cells)))
        return sorted(rows)


def text(column, cell):
    if cell is None:
        return ""
    if column == "amount":
        return "%d.%02d" % divmod(cell, 100)
    if column in BOOLEANS:
        return str(int(cell))
    return str(cell)


def select(name, postgres=True):
    """The same rows out of a database."""
    if not postgres:
        return "select %s from %s" % (", ".join(COLUMNS[name].split()), name)
    ways = {"time": "(extract(epoch from %s) * 1000000)::bigint", "boolean": "%s::int", "plain": "%s"}
    columns = [ways["time" if c in TIMES else "boolean" if c in BOOLEANS else "plain"] % c for c in COLUMNS[name].split()]
    return "copy (select %s from %s) to stdout csv" % (", ".join(columns), name)


def rows_from_csv(output):
    return sorted(tuple(row) for row in csv.reader(output.splitlines()))


def differences(figures, name, rows, at_most=5):
    """What is wrong with a table's rows, in words; [] if nothing is."""
    wanted, got = set(figures.table(name)), set(rows)
    said = ["%s: %d rows, not %d" % (name, len(rows), len(wanted))] if len(rows) != len(wanted) else []
    said += ["%s lacks %s" % (name, row) for row in sorted(wanted - got)[:at_most]]
    return said + ["%s has %s" % (name, row) for row in sorted(got - wanted)[:at_most]]
