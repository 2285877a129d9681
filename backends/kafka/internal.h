/* What the files of this room share. Only they include rdkafka.h.
 *
 * Threads: a pdr_kafka belongs to the thread that calls it. librdkafka's own threads touch nothing of it but
 * `wake_fd` (they write to it) and the trace callback; the keeper's thread gets whole clients to warm up or
 * to destroy. */
#ifndef PDR_BACKENDS_KAFKA_INTERNAL_H
#define PDR_BACKENDS_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "backends/kafka/kafka_log.h"
#include "base/mem.h"

typedef struct pdr_kafka pdr_kafka;
typedef struct kafka_producer kafka_producer;
typedef struct kafka_consumer kafka_consumer;
typedef struct kafka_keeper kafka_keeper;
typedef struct kafka_writer kafka_writer;
typedef struct kafka_reader kafka_reader;

enum {
    KAFKA_BATCH = 256,        /* records or reports given to one callback */
    KAFKA_BATCHES_A_TURN = 2, /* of one reader, before the others get theirs */
    KAFKA_CLIENTS_KEPT = 4,   /* consumer clients before readers of different partitions share one */
    KAFKA_CLIENTS_MAX = 32    /* consumer clients at all: the most readers of one partition */
};

/* Settings of ours, and those of librdkafka's that this room reckons with. */
typedef struct kafka_settings {
    rd_kafka_conf_t *producer;
    rd_kafka_conf_t *consumer;
    int64_t unavailable_us;    /* a reader that waits hears nothing for so long: PDR_UNAVAILABLE */
    int64_t largest_batch;     /* bytes of a batch that the producer may send */
    size_t read_ahead_records; /* librdkafka stops fetching for a reader above either */
    size_t read_ahead_bytes;
} kafka_settings;

/* Whose client it is: what librdkafka's callbacks get. Lives as long as the client. `log`, `producer` and
 * `consumer` are for callbacks that run in poll only. */
typedef struct kafka_origin {
    kafka_keeper *keeper;
    pdr_kafka *log;
    kafka_producer *producer; /* one of these two is set */
    kafka_consumer *consumer;
} kafka_origin;

/* One librdkafka client with its topic handle and the queue on which its events come. Owned. */
typedef struct kafka_client {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *events;
    kafka_origin *origin;
} kafka_client;

/* How librdkafka's threads wake the caller. They write to the descriptor only when the caller sleeps, or is
 * about to. */
typedef struct kafka_bell {
    int fd;
    atomic_bool sleeping; /* the caller has asked what to sleep on since the last poll */
    atomic_bool rung;     /* some queue got something since the last poll began */
    atomic_bool written;  /* the descriptor is readable */
} kafka_bell;

/* What an opaque stands for: the writer and tag of a record in flight. */
#define KAFKA_NO_WRITER UINT32_MAX
typedef struct kafka_ticket {
    uint64_t tag;
    uint32_t slot; /* the writer's; KAFKA_NO_WRITER: the ticket is free */
    uint32_t generation;
} kafka_ticket;

struct pdr_kafka {
    pdr_log base;
    char journal[250];
    char topic[260];
    kafka_settings settings;
    kafka_keeper *keeper;
    int32_t partitions; /* of the topic; 0: not known yet */
    kafka_bell bell;
    bool again; /* work was left: the next poll must come at once */
    bool in_poll;
    size_t callbacks; /* run by this poll */

    kafka_producer *shared;    /* NULL: made when next needed */
    kafka_producer *producers; /* all of them, the shared one included */
    kafka_writer **writers;    /* by slot; NULL: free */
    uint32_t writer_slots;
    uint32_t generations; /* drawn so far */

    kafka_consumer *consumers;
    uint64_t readers_closed;
    kafka_reader *readers;
    rd_kafka_message_t *messages[KAFKA_BATCH]; /* scratch of poll */
    pdr_log_record records[KAFKA_BATCH];
    uint8_t headers[KAFKA_BATCH * 160]; /* of the records */
    size_t headers_used;
    pdr_log_report reports[KAFKA_BATCH]; /* gathered for one writer */
    size_t report_count;
    kafka_ticket reports_to; /* its slot and generation */
};

/* kafka_log.c: PDR_INVALID_ARGUMENT if there can be no such partition. */
PDR_CHECKED pdr_code kafka_partition_check(const pdr_kafka *log, int32_t partition, pdr_error *err);

/* settings.c */
PDR_CHECKED pdr_code kafka_settings_init(kafka_settings *out, const pdr_kafka_options *options,
                                         pdr_error *err);
void kafka_settings_release(kafka_settings *settings);

/* client.c: `from` is copied. The topic handle is left NULL. */
PDR_CHECKED pdr_code kafka_client_open(kafka_client *out, pdr_kafka *log, rd_kafka_type_t type,
                                       pdr_error *err);
PDR_CHECKED pdr_code kafka_client_topic(kafka_client *client, pdr_kafka *log, pdr_error *err);
void kafka_queue_watch(rd_kafka_queue_t *queue, kafka_bell *bell); /* NULL: no longer */
void kafka_client_close(kafka_client *client); /* may block: librdkafka joins its threads */
int64_t kafka_now_us(void);
pdr_code kafka_code(rd_kafka_resp_err_t err);

/* keeper.c: a thread that does what may block. It outlives the log if a client won't end, so clients trace
 * through it. */
PDR_CHECKED pdr_code kafka_keeper_open(kafka_keeper **out, const pdr_kafka_options *options, pdr_error *err);
void kafka_keeper_trace(kafka_keeper *keeper, int level, const char *line); /* any thread */
void kafka_keeper_destroy(kafka_keeper *keeper, kafka_client client);       /* takes the client */
/* Fetch the topic's metadata, so that the first record doesn't wait for it. Before destroy. */
void kafka_keeper_warm(kafka_keeper *keeper, const kafka_client *client);
/* Make a consumer look again whether it should fetch from `partition`. Before destroy. */
void kafka_keeper_nudge(kafka_keeper *keeper, const kafka_client *client, int32_t partition);
void kafka_keeper_close(kafka_keeper *keeper, int timeout_ms); /* waits so long, then lets it end by itself */

/* producer.c, writer.c */
struct kafka_writer {
    pdr_log_writer base;
    pdr_kafka *log;
    kafka_producer *producer; /* NULL: broken */
    pdr_log_writer_events events;
    void *context;
    int32_t partition;
    uint32_t slot;
    uint32_t generation; /* reports of older ones aren't delivered */
    bool apart;          /* its producer is, or was until it broke, a private one */
    bool worked;         /* a record got into the log in this generation */
    bool break_due;      /* `broken` hasn't been told yet */
};

struct kafka_producer {
    kafka_producer *next;
    kafka_client client;
    kafka_ticket *tickets;
    uint32_t ticket_count; /* a power of two */
    uint32_t open_tickets; /* at most half of them */
    uint32_t next_ticket;  /* where to look for a free one */
    uint32_t *in_flight;   /* by partition: appended and not reported */
    int32_t partitions;    /* entries of in_flight */
    int64_t last_offset;   /* reported */
    bool offsets_broken;   /* last_offset belongs to a run of offsets that aren't the log's */
    bool retired;          /* destroyed when poll is over */
};

PDR_CHECKED pdr_code kafka_producer_open(kafka_producer **out, pdr_kafka *log, pdr_error *err);
void kafka_producer_retire(pdr_kafka *log, kafka_producer *producer);
void kafka_producers_sweep(pdr_kafka *log);
uint32_t kafka_producer_in_flight(const kafka_producer *producer, int32_t partition);
PDR_CHECKED pdr_code kafka_producer_append(kafka_producer *producer, const kafka_writer *writer,
                                           const pdr_log_entry *entry, uint64_t tag, pdr_error *err);
void kafka_producer_poll(pdr_kafka *log, kafka_producer *producer);
/* librdkafka's callback for each report; the message's opaque is its ticket's index + 1. */
void kafka_producer_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *origin);
/* What a report's offset is worth. Offsets that aren't the log's come in runs: a batch that the broker had
 * already is told with -1, 0, 1, ...; they become -1. */
int64_t kafka_producer_offset(kafka_producer *producer, int64_t told);
void kafka_producer_error(kafka_producer *producer, rd_kafka_resp_err_t why);

pdr_code kafka_writer_open(pdr_log *base, int32_t partition, const pdr_log_writer_events *events,
                           void *context, pdr_log_writer **out, pdr_error *err);
void kafka_writer_close(pdr_log_writer *base);
pdr_code kafka_writer_append(pdr_log_writer *base, const pdr_log_entry *entry, uint64_t tag, pdr_error *err);
pdr_code kafka_writer_renew(pdr_log_writer *base, pdr_error *err);
/* `producer` is fatal: every writer on it is told so once, and it is retired. */
void kafka_writers_break(pdr_kafka *log, kafka_producer *producer, const pdr_error *error);

/* consumer.c, reader.c */
struct kafka_consumer {
    kafka_consumer *next;
    kafka_client client;
    unsigned readers;
    uint64_t idle_since; /* by the count of readers closed: a client that went idle long ago has no fetch
                            under way that would hold the next reader up */
    pdr_error trouble;   /* the newest connection error; code PDR_OK: none */
    bool warm;           /* it has heard from a partition's leader, so it knows the topic's leaders */
    bool spent;          /* takes no more readers: see stop() in reader.c */
};

struct kafka_reader {
    pdr_log_reader base;
    kafka_reader *next;
    pdr_kafka *log;
    kafka_consumer *consumer; /* NULL: closed, or failed */
    rd_kafka_queue_t *queue;
    pdr_log_reader_events events;
    void *context;
    int32_t partition;
    int64_t from;
    int64_t position;  /* the next offset to deliver; -1: not known yet */
    int64_t heard_us;  /* when it last got anything */
    size_t mean_bytes; /* of the records of the last batch */
    bool caught_up;    /* `end` was the last thing that it told */
    bool scouting;     /* asks for an offset that isn't there, only to hear from the leader */
    bool paused;
    bool dropped;   /* paused in a callback with messages of that batch left: to be fetched again */
    bool throttled; /* so much was read ahead that librdkafka stopped fetching */
    bool closed;
};

PDR_CHECKED pdr_code kafka_consumer_take(kafka_consumer **out, pdr_kafka *log, int32_t partition,
                                         pdr_error *err);
void kafka_consumer_give_back(pdr_kafka *log, kafka_consumer *consumer);
void kafka_consumer_error(kafka_consumer *consumer, rd_kafka_resp_err_t why, const char *reason);
void kafka_consumers_close(pdr_kafka *log);

pdr_code kafka_reader_open(pdr_log *base, int32_t partition, int64_t from,
                           const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                           pdr_error *err);
void kafka_reader_close(pdr_log_reader *base);
void kafka_reader_pause(pdr_log_reader *base, bool paused);
void kafka_reader_poll(kafka_reader *reader, int64_t now_us);
void kafka_reader_doubt(kafka_reader *reader, int64_t now_us); /* its consumer lost a connection */
int64_t kafka_reader_due_us(const kafka_reader *reader, int64_t now_us);
void kafka_readers_sweep(pdr_kafka *log);

/* admin.c */
pdr_code kafka_info(pdr_log *base, pdr_log_info *out, int timeout_ms, pdr_error *err);
pdr_code kafka_check(pdr_log *base, int timeout_ms, pdr_error *err);

#endif
