/* A small application for tests: accounts that take deposits, withdrawals and names. */
#ifndef PDR_TESTS_BANK_APP_H
#define PDR_TESTS_BANK_APP_H

#include "bank.gen.h"
#include "perdure/perdure.h"

extern const pdr_entity_type bank_account_entity;
extern const pdr_app bank_app;

#endif
