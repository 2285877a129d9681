"""A consumer that reads what was committed, and counts what it sees twice or out of order.

    consume_once.py BROKERS TOPIC

Reads the topic to its end. Prints one JSON object."""
import collections
import json
import sys
import uuid

from confluent_kafka import Consumer, KafkaError


def messages(brokers, topic):
    """Of all partitions to their ends."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest",
                         "enable.partition.eof": True, "enable.auto.commit": False, "isolation.level": "read_committed"})
    consumer.subscribe([topic])
    partitions, ended = len(consumer.list_topics(topic).topics[topic].partitions), set()
    while len(ended) < partitions:
        message = consumer.poll(90)
        if message is None:
            raise TimeoutError("nothing within 90 s")
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise RuntimeError(message.error())
            ended.add(message.partition())
        else:
            yield message
    consumer.close()


def main():
    brokers, topic = sys.argv[1:]
    seen, newest, count, late = collections.Counter(), {}, 0, 0
    for message in messages(brokers, topic):
        headers = dict(message.headers())
        place = tuple(int(headers["source-" + name]) for name in ("partition", "offset", "part"))
        seq = int(headers["event-seq"])
        seen[place] += 1
        count += 1
        late += seq != newest.get(message.key(), 0) + 1
        newest[message.key()] = seq
    print(json.dumps({"messages": count, "events": len(seen), "out_of_order": late, "entities": len(newest)}))


if __name__ == "__main__":
    main()
