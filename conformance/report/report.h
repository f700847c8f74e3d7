/* SPDX-License-Identifier: MIT */
/* report.h - a run, written for people and for machines */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include "conformance/model/result.h"

#include <stdio.h>

/* The formats there are, as "html, json, junit, tap, text". */
const char *report_formats(void);
/* Whether there is such a format, and it was built in; if not, @why says why. */
bool report_has(const char *format, const char **why);
/* Writes @run; 0, or a negative errno if it could not be written. */
int report_write(const char *format, const struct run *run, FILE *file);

#endif
