"""A consumer that knows nothing of perdure's code: Confluent's Python client, which asks the registry for the schemas.

    consume_confluent.py BROKERS TOPIC REGISTRY

Reads the topic to its end. Prints one JSON object."""
import collections
import json
import sys
import uuid

from confluent_kafka import Consumer, KafkaError
from confluent_kafka.avro import CachedSchemaRegistryClient
from confluent_kafka.avro.serializer.message_serializer import MessageSerializer


def values(brokers, topic):
    """Key and value of each record that has a value, of all partitions to their ends."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest",
                         "enable.partition.eof": True, "enable.auto.commit": False})
    consumer.subscribe([topic])
    partitions, ended = len(consumer.list_topics(topic).topics[topic].partitions), set()
    while len(ended) < partitions:
        record = consumer.poll(60)
        if record is None:
            raise TimeoutError("nothing within a minute")
        if record.error():
            if record.error().code() != KafkaError._PARTITION_EOF:
                raise RuntimeError(record.error())
            ended.add(record.partition())
        elif record.value() is not None:
            yield record.key().decode(), record.value()
    consumer.close()


def main():
    brokers, topic, registry = sys.argv[1:]
    client = CachedSchemaRegistryClient({"url": registry})
    serializer = MessageSerializer(client)
    names, entities, ids = collections.Counter(), set(), {}
    for key, value in values(brokers, topic):
        datum = serializer.decode_message(value)
        assert isinstance(datum, dict), datum
        number = int.from_bytes(value[1:5], "big")
        ids[number] = client.get_by_id(number).name
        names[ids[number]] += 1
        entities.add(key)
    print(json.dumps({"events": sum(names.values()), "entities": len(entities), "by_id": ids, "names": names}))


if __name__ == "__main__":
    main()
