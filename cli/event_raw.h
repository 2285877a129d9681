/* An event as it lies in the log: its bytes, who wrote it, and which upcasters it went through. */
#ifndef PDR_CLI_EVENT_RAW_H
#define PDR_CLI_EVENT_RAW_H

#include "cli/out.h"
#include "replay/tool.h"

typedef struct pdr_event_raw {
    int32_t partition;
    const pdr_log_record *record;
    const pdr_header *header;
    const pdr_event_list *events; /* what it is today; NULL: it can't be read */
} pdr_event_raw;

/* Append a member for pdr_event_line.more:
 *   ,"raw":{"value":"<hex>","header":"<hex>","written":{"type":"...","version":1,"fingerprint":"<hex>"},
 *           "upcasters":[{"from":"loans.OfferMailed@1","to":["loans.OfferMailed@2"],"how":"code"}]}
 * how: "code", "resolution" (Avro's), "dropped". Schemas that are nowhere: no "written" but the fingerprint.
 */
PDR_CHECKED pdr_code pdr_event_raw_json(pdr_tool *tool, const pdr_event_raw *raw, pdr_buf *out,
                                        pdr_error *err);
/* The same as lines for people. As pdr_out_end. */
PDR_CHECKED pdr_code pdr_event_raw_put(pdr_tool *tool, const pdr_event_raw *raw, pdr_out *out,
                                       pdr_error *err);

#endif
