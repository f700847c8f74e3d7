/* SPDX-License-Identifier: MIT */
/*
 * What was found in some pages stays when more is found
 *
 * lemma: kept
 * fault FEWER_RUNS assurance/proof/spelling.h s/keep{A, B}(run, used) \&\& used <= more/keep{A, B}(run, used)/
 */
#include "assurance/proof/directory.h"
#include "assurance/proof/spelling.h"
