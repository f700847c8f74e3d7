/* SPDX-License-Identifier: MIT */
#include "conformance/model/clause.h"

#include <string.h>

struct entry {
	const char *id;
	enum duty duty;
	const char *text;
};

#define ENTRY(name, id, duty, text) [name] = { id, duty, text },

static const struct entry entries[] = { CLAUSES(ENTRY) };

static const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_SKIP] = "SKIP", [VERDICT_PASS] = "PASS",
	[VERDICT_WARN] = "WARN", [VERDICT_INCONCLUSIVE] = "INCONCLUSIVE",
	[VERDICT_FAIL] = "FAIL", [VERDICT_ERROR] = "ERROR",
};

const char *clause_id(enum clause clause)
{
	return entries[clause].id;
}

enum duty clause_duty(enum clause clause)
{
	return entries[clause].duty;
}

const char *clause_text(enum clause clause)
{
	return entries[clause].text;
}

bool clause_find(const char *id, enum clause *clause)
{
	for (size_t i = 0; i < CLAUSE_COUNT; i++)
		if (!strcmp(entries[i].id, id)) {
			*clause = (enum clause)i;
			return true;
		}
	return false;
}

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}
