"""What the claims about perdure export, import and copy share. What is in an export is read, and some exports are made, by
Avro's Python library; journals are compared by their SQLite tables."""
import datetime
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib

# Debian's packages belong to /usr/bin/python3, which need not be the one that runs this.
PYTHON = os.environ.get("PERDURE_TEST_PYTHON", "/usr/bin/python3")
try:
    import avro.datafile
    import avro.io
    import avro.schema
except ImportError:
    if PYTHON != sys.executable and subprocess.run([PYTHON, "-c", "import avro"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        os.execv(PYTHON, [PYTHON] + sys.argv)
    raise

from programs import COMMAND, LOANS_APP, Programs

LOAD = {1: os.environ["PDR_LOANS_LOAD_V1"], 2: os.environ["PDR_LOANS_LOAD_V2"], 3: os.environ["PDR_LOANS_LOAD"]}
HERE = ("entity", "seq", "index", "count", "time", "type", "version", "fingerprint", "command", "reply", "correlation",
        "causation", "traceparent", "consumed", "datum")


class Exports(Programs):
    def held(self, where, *words, library=os.environ.get("PDR_HOLD_LIBRARY"), **environment):
        """The command, held at a read or write of a file: see hold.c."""
        for name in ("here", "go"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        process = self.start(*words, LD_PRELOAD=library, PDR_HOLD=where, **environment)
        self.until_held(process)
        return process

    def goes_on(self, process):
        """It is let go; its exit code, and standard error."""
        self.let_go()
        _, errors = process.communicate(timeout=240)
        return process.returncode, errors

    def sqlite(self, name):
        return ["--journal", "sqlite:%s.db" % name]

    def made(self, name, partitions=8):
        self.works(COMMAND, "init", *self.sqlite(name), "--partitions", str(partitions))
        return self.sqlite(name)

    def written_by_three(self, rows=3000):
        """Three versions of the application wrote it, so it has older writer schemas; in several terms."""
        flags = self.made("three")
        for version, share in ((1, 1), (2, 2), (3, 3)):
            self.works(LOAD[version], *flags, "--stop-after", str(rows * share // 3))
        self.works(os.environ["PDR_LOANS_REMIND_V1"], flags[1], flags[1], "5")
        self.works(COMMAND, "rebuild-store", *flags, "--app", LOANS_APP, "--yes")
        return flags

    def exported(self, flags, name, *more):
        self.works(COMMAND, "export", *flags, name, *more)
        return self.records(name)

    def reader(self, name):
        return avro.datafile.DataFileReader(open(self.path(name), "rb"), avro.io.DatumReader())

    def records(self, name):
        with self.reader(name) as reader:
            return list(reader)

    def events(self, records):
        return [{k: r[k] for k in HERE} for r in records if "entity" in r]

    def by_entity(self, records):
        histories = {}
        for event in self.events(records):
            histories.setdefault(event["entity"], []).append(event)
        return histories

    def rows(self, name):
        """The log's events as the tables have them, by entity: value and traceparent in order of offset."""
        db = sqlite3.connect(self.path(name))
        histories = {}
        (partitions,) = db.execute("SELECT partitions FROM log_meta").fetchone()
        for partition in range(partitions):
            for key, value, trace in db.execute("SELECT key, value, trace FROM record_%d WHERE key IS NOT NULL ORDER BY offset"
                                                % partition):
                histories.setdefault(key, []).append((value, trace))
        schemas = {text for p in range(partitions)
                   for (text,) in db.execute("SELECT schema FROM record_%d WHERE schema IS NOT NULL" % p)}
        db.close()
        return histories, schemas

    def heads(self, flags, app=LOANS_APP):
        heads = [json.loads(line) for line in self.dump(*flags, "--app", app).splitlines()]
        for head in heads:
            del head["partition"], head["last"]
        return heads

    # --- an export made by Avro's Python library ---

    def container(self, name, records, version="1", journal="00112233445566778899aabbccddeeff", codec="null", check=None,
                  ended=True, schema=None):
        if schema is None:
            schema = self.schema_text()
        parsed = avro.schema.parse(schema)
        writer = avro.io.DatumWriter(parsed)
        blob = io.BytesIO()
        for record in records:
            writer.write(record, avro.io.BinaryEncoder(blob))
        events = [r for r in records if "entity" in r]
        end = {"events": len(events), "commits": len([e for e in events if e["index"] + 1 == e["count"]]),
               "check": zlib.crc32(blob.getvalue()) if check is None else check}
        count = len(records)
        if ended:
            writer.write(end, avro.io.BinaryEncoder(blob))
            count += 1
        out = io.BytesIO()
        encoder = avro.io.BinaryEncoder(out)
        out.write(b"Obj\x01")
        meta = {"avro.schema": schema, "avro.codec": codec, "perdure.journal": journal}
        if version:
            meta["perdure.export"] = version
        encoder.write_long(len(meta))
        for key, value in meta.items():
            encoder.write_utf8(key)
            encoder.write_bytes(value.encode())
        encoder.write_long(0)
        sync = b"0123456789abcdef"
        out.write(sync)
        encoder.write_long(count)
        encoder.write_bytes(blob.getvalue())
        out.write(sync)
        with open(self.path(name), "wb") as file:
            file.write(out.getvalue())

    def schema_text(self):
        """As the documentation has it."""
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/formats/export.md"), encoding="utf-8") as file:
            text = re.search(r"```json\n(.*?)```", file.read(), re.DOTALL)[1]
        return json.dumps(json.loads(text), separators=(",", ":"))


COIN = '{"type":"record","name":"Coin","namespace":"shop","fields":[{"name":"n","type":"int"}]}'


def fingerprint(text):
    """CRC-64-AVRO of a canonical form, from Avro's specification."""
    empty = 0xC15D213AA4D7A795
    table = []
    for i in range(256):
        value = i
        for _ in range(8):
            value = (value >> 1) ^ (empty & -(value & 1))
        table.append(value)
    result = empty
    for byte in text.encode():
        result = (result >> 8) ^ table[(result ^ byte) & 0xFF]
    return result.to_bytes(8, "big")


MARK = fingerprint('{"name":"shop.Coin","type":"record","fields":[{"name":"n","type":"int"}]}')
SCHEMA = {"fingerprint": MARK, "json": COIN}


def at(microseconds):
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=microseconds)


def event(entity, seq, index=0, count=1, **more):
    made = {"entity": entity, "seq": seq, "index": index, "count": count, "time": at(1_000_000 * seq - 5),
            "append_time": at(7000),
            "partition": 3, "offset": 90 + seq, "type": "shop.Coin", "version": 0, "fingerprint": MARK, "command": None,
            "reply": None, "correlation": None, "causation": None, "traceparent": None, "consumed": None, "datum": b"\x02"}
    made.update(more)
    return made
