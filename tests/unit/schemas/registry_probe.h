/* A client of a registry that says whatever it is told to; what the claims about the client share. */
#ifndef TESTS_UNIT_REGISTRY_PROBE_H
#define TESTS_UNIT_REGISTRY_PROBE_H

#include "schemas/registry.h"
#include "tests/support/fake_registry.h"

#define OFFER                                                                                                \
    "{\"type\":\"record\",\"name\":\"OfferMade\",\"namespace\":\"loans\",\"fields\":[{\"name\":\"cents\","   \
    "\"type\":\"long\"}]}"
/* The same in an answer: a text in JSON. */
#define OFFER_TOLD                                                                                           \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"OfferMade\\\",\\\"namespace\\\":"           \
    "\\\"loans\\\","                                                                                         \
    "\\\"fields\\\":[{\\\"name\\\":\\\"cents\\\",\\\"type\\\":\\\"long\\\"}]}\"}"

#define MISSING FAKE_REPLY("404", "{\"error_code\":40403,\"message\":\"Schema not found\"}")
#define NO_SUBJECT FAKE_REPLY("404", "{\"error_code\":40401,\"message\":\"Subject not found\"}")
#define FITS FAKE_REPLY("200", "{\"is_compatible\":true}")
#define ID_7 FAKE_REPLY("200", "{\"id\":7}")
#define SCHEMA_7 FAKE_REPLY("200", OFFER_TOLD)

#define SCHEMA_OTHER FAKE_REPLY("200", "{\"schema\":\"\\\"string\\\"\"}")

extern fake_registry fake;
extern pdr_registry *registry;
extern pdr_error err;
extern uint32_t waits[64]; /* what the client would have waited, in order */
extern size_t wait_count;

pdr_registry_config config_of(const char *url);
void open_with(pdr_registry_config config);
void begin(const char *const *script); /* the fake registry, and a client of it */
void end(void);                        /* both; nothing open is fine */
pdr_registry_schema offer(void);       /* OFFER */
pdr_code register_offer(int32_t *id);
void expect_message(const char *part);
void expect_request(size_t i, const char *part);

#endif
