/* The rules that can be broken one at a time, to show that the simulation finds it. In the product each is
 * simply true. */
#ifndef PDR_JOURNAL_RULES_H
#define PDR_JOURNAL_RULES_H

/* X(NAME, "command-line word") */
#define PDR_RULE_MAP(X)                                                                                      \
    X(TERM, "term")                      /* a record counts only if its term is in force */                  \
    X(NUMBER, "number")                  /* ... and its number is the count plus 1 */                        \
    X(GAP, "gap")                        /* a gap before a reported offset is read before acknowledging */   \
    X(COMMIT, "commit-completeness")     /* events count only when their commit's last record does */        \
    X(SAVE_ON_ACK, "save-on-ack")        /* a state is saved only when its last event is acknowledged */     \
    X(REFUSALS_WAIT, "waiting-refusals") /* refusals and reads wait for what they saw and for freshness */   \
    X(STORE_TRIPLE, "store-triple")      /* look-ups and saves rest on the exact (store id, term, saves) */  \
    X(HEAD_STATE, "head-against-state") /* a state older than its head is brought up, never used as it is */ \
    X(ONE_RECOVERY, "one-recovery-path") /* nothing resident survives a recovery */

typedef enum pdr_rule {
#define PDR_RULE_ENUM(name, word) PDR_RULE_##name,
    PDR_RULE_MAP(PDR_RULE_ENUM)
#undef PDR_RULE_ENUM
        PDR_RULE_COUNT
} pdr_rule;

#ifdef PDR_BREAKABLE
extern unsigned pdr_broken_rules; /* bit per rule; defined by the simulation */
#define PDR_RULE(name) (!(pdr_broken_rules & (1u << PDR_RULE_##name)))
#else
#define PDR_RULE(name) 1
#endif

#endif
