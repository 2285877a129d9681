"""A consumer that knows nothing of perdure's code: kcat's output and Avro's own Python library.

    consume_avro.py FILE END

FILE holds records as fault_consumers.py has kcat print them, each ended by END. Prints one JSON object."""
import collections
import io
import json
import struct
import sys

import avro.io
import avro.schema


def records(data, end):
    at = 0
    while at < len(data):
        line_end = data.index(b"\n", at)
        _, offset, key_size, value_size = (int(n) for n in data[at:line_end].split())
        key_end = line_end + 1 + max(key_size, 0)
        value_end = key_end + max(value_size, 0)
        stop = data.index(end, value_end)
        yield (offset, data[line_end + 1:key_end] if key_size >= 0 else None,
               data[key_end:value_end] if value_size >= 0 else None, data[value_end:stop])
        at = stop + len(end)


def schema_of(headers):
    """The JSON that stands in the header pdr-schema."""
    text = headers[headers.index(b"pdr-schema=") + len(b"pdr-schema="):].decode()
    _, size = json.JSONDecoder().raw_decode(text)
    return avro.schema.parse(text[:size])


def fingerprint_of(schema):
    """CRC-64-AVRO of the Parsing Canonical Form, as Avro's specification writes it down."""
    empty = 0xC15D213AA4D7A795
    value = empty
    for byte in schema.canonical_form.encode():
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (empty if value & 1 else 0)
    return struct.pack("<Q", value)


def main():
    with open(sys.argv[1], "rb") as file:
        found = list(records(file.read(), sys.argv[2].encode()))
    readers, others = {}, 0
    for _, key, _, headers in found:
        if key is None and b"pdr-schema=" in headers:
            schema = schema_of(headers)
            readers[fingerprint_of(schema)] = (schema, avro.io.DatumReader(schema))
        elif key is None:
            others += 1
    names, entities, wrong = collections.Counter(), set(), []
    for offset, key, value, _ in found:
        if key is None:
            continue
        magic, fingerprint = struct.unpack("<2s8s", value[:10])
        schema, reader = readers.get(fingerprint, (None, None))
        if magic != b"\xc3\x01" or not reader or not key.startswith(b"loan/"):
            wrong.append([offset, key.decode(errors="replace"), value[:10].hex()])
            continue
        stream = io.BytesIO(value[10:])
        datum = reader.read(avro.io.BinaryDecoder(stream))
        if stream.tell() != len(value) - 10 or not isinstance(datum, dict):
            wrong.append([offset, key.decode(), "bytes are left"])
        names[schema.name] += 1
        entities.add(key)
    print(json.dumps({"events": sum(names.values()), "entities": len(entities), "schemas": len(readers), "others": others,
                      "names": names, "wrong": wrong[:10]}))


if __name__ == "__main__":
    main()
