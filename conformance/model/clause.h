/* SPDX-License-Identifier: MIT */
/* clause.h - what is known of a clause, and what can be said of it. */
#ifndef CONFORMANCE_CLAUSE_H
#define CONFORMANCE_CLAUSE_H

#include "conformance/model/clauses.h"

#include <stdbool.h>

/* A clause that says MUST or MUST NOT, or one that says SHOULD. */
enum duty {
	MUST,
	SHOULD
};

/* In rising order of how much attention they need. */
enum verdict {
	VERDICT_SKIP,
	VERDICT_PASS,
	VERDICT_WARN,
	VERDICT_INCONCLUSIVE,
	VERDICT_FAIL,
	VERDICT_ERROR,
	VERDICT_COUNT
};

const char *clause_id(enum clause clause);
enum duty clause_duty(enum clause clause);
const char *clause_text(enum clause clause);
/* Finds "HDB-BOTH-001"; false if there is no such clause. */
bool clause_find(const char *id, enum clause *clause);

/* "PASS", "FAIL" and so on. */
const char *verdict_name(enum verdict verdict);

#endif
