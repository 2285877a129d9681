"""Claims about one entity's story that hold on every backend, against answers worked out from the CSV alone."""
import datetime
import json
import os

from loans_model import Excerpt, changes
from programs import COMMAND, LOANS_APP, Programs

EVERY = 60


def when(us):
    """As perdure writes a time: no more digits than it has, at least to the second."""
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (".%06d" % at.microsecond).rstrip("0").rstrip(".") + "Z"


class StoryClaims(Programs):
    """A subclass says which journal: `flags()`, its environment."""

    @classmethod
    def loaded(cls):
        """The excerpt, loaded once for all claims of a class."""
        raise NotImplementedError

    def lines(self, *words, **more):
        return [json.loads(line) for line in self.works(COMMAND, *words, "--json", **{**self.environment, **more}).splitlines()]

    def state(self, *words):
        found = self.lines("state", *words)
        self.assertEqual(len(found), 1)
        return found[0]

    def fails(self, code, *words, texts=(), **more):
        return self.refuses(code, words, *texts, **{**self.environment, **more})

    def claim_histories(self):
        for application in self.excerpt.twenty():
            found = self.lines("history", application.entity)
            self.assertEqual([(e["seq"], e["type"], e["time"], e["command"]) for e in found],
                             [(e.seq, e.type, when(e.us), e.command) for e in application.events], application.entity)
            for shown, expected in zip(found, application.events):
                self.assertEqual(shown["event"], expected.event, (application.entity, expected.seq))
                self.assertEqual(shown["entity"], application.entity)

    def claim_states(self):
        for application in self.excerpt.twenty():
            newest = len(application.events)
            third = application.events[newest // 3 - 1]
            self.assertEqual(self.state(application.entity)["state"], application.states[-1], application.entity)
            found = self.state(application.entity, "--seq", str(newest // 2))
            self.assertEqual((found["seq"], found["state"]), (newest // 2, application.states[newest // 2]))
            at = max(e.seq for e in application.events if e.us <= third.us)
            found = self.state(application.entity, "--at", when(third.us))
            self.assertEqual((found["seq"], found["state"]), (at, application.states[at]), (application.entity, third.seq))

    def claim_diffs(self):
        for application in self.excerpt.twenty():
            newest = len(application.events)
            begin = newest // 3
            found = self.lines("diff", application.entity, "--from", str(begin))
            expected = changes(application.states[begin], application.states[-1])
            self.assertEqual([(c["path"], c.get("from"), c.get("to")) for c in found], expected, application.entity)
            for change in found:
                touching = [e.seq for e in application.events[begin:]
                            if any(concerns(path, change["path"]) for path, _, _ in
                                   changes(application.states[e.seq - 1], application.states[e.seq]))]
                self.assertEqual((change["by"]["seq"], change["seqs"]), (touching[-1], touching), (application.entity, change))
                self.assertEqual(change["by"]["type"], application.events[touching[-1] - 1].type)

    def claim_bisections(self):
        declined = 0
        for application in self.excerpt.twenty():
            first = [n for n, state in enumerate(application.states) if state["status"] == "DECLINED"]
            words = ("bisect", application.entity, "--where", '.status == "DECLINED"')
            if not first:
                self.fails(1, *words, texts=["none of the %d events" % len(application.events)])
                continue
            declined += 1
            found, = self.lines(*words)
            self.assertEqual((found["seq"], found["type"]), (first[0], "loans.ApplicationDeclined"))
            self.assertEqual(found["state"], application.states[first[0]])
            self.assertEqual([(c["path"], c.get("from"), c.get("to")) for c in found["changes"]],
                             changes(application.states[first[0] - 1], application.states[first[0]]))
        self.assertGreaterEqual(declined, 6)

    def claim_unknown(self):
        some = self.excerpt.twenty()[0].entity
        text = self.fails(1, "history", some[:-1], texts=["there is no entity " + some[:-1], "did you mean"])
        self.assertIn(some[:-1], text.split("did you mean")[1])
        self.fails(1, "state", "loan/0", texts=["did you mean loan/1"])
        self.fails(1, "history", "xyz", texts=["no id is like it"])
        self.fails(1, "state", "loam/1", texts=["the application knows loan/..."])
        newest = len(self.excerpt.twenty()[0].events)
        self.fails(1, "state", some, "--seq", str(newest + 1), texts=["its newest is %d" % newest])


def concerns(a, b):
    short, long = sorted((a, b), key=len)
    return long == short or (long.startswith(short) and long[len(short)] in ".[")


def load_excerpt(test, folder, environment):
    """Loads an excerpt by the loader: all saved, nothing past the checkpoints."""
    path = os.path.join(folder, "excerpt.csv.gz")
    excerpt = Excerpt(path, EVERY)
    done = test.run_in(os.environ["PDR_LOANS_LOAD"], "--data", path, "--journal", environment["PERDURE_JOURNAL"],
                       "--store", environment["PERDURE_STORE"])
    test.assertEqual((done.returncode, done.stderr), (0, ""))
    test.assertRegex(done.stdout.splitlines()[-1], r"^done .* refused 0$")
    return excerpt


def environment_of(journal, store):
    return {"PERDURE_JOURNAL": journal, "PERDURE_STORE": store, "PERDURE_APP": LOANS_APP}
