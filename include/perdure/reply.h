/* What comes back from a command, a read or an append. */
#ifndef PERDURE_REPLY_H
#define PERDURE_REPLY_H

#include "perdure/position.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One definite answer. Ranges are borrowed for the completion's call. */
typedef struct pdr_reply {
    pdr_code code;          /* PDR_OK: accepted, or read. PDR_REFUSED, PDR_CONFLICT, PDR_BUSY, ... */
    const pdr_error *error; /* NULL when PDR_OK */
    uint64_t seq;    /* the entity's seq that the answer rests on; of the commit's last event when accepted */
    uint32_t events; /* events of the commit: seqs seq - events + 1 .. seq; 0: none */
    bool repeated;   /* the first answer, given again for a known command id */
    pdr_bytes answer; /* what decide gave to pdr_answer, or a refusal's text */
    pdr_bytes state;  /* a read's packed state (Avro datum of the entity's state type); data NULL otherwise or
                         if none */
    int32_t partition;
    pdr_position position; /* of the entity's newest event in the answer, the token for reading one's own
                              write; offset -1: none yet */
} pdr_reply;

typedef void (*pdr_completion)(void *context, const pdr_reply *reply);

#ifdef __cplusplus
}
#endif
#endif
