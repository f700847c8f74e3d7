/* SPDX-License-Identifier: MIT */
/*
 * The cell of a timeline, whose words may be any
 *
 * wp: crossed hdmabuf_cell_signal hdmabuf_cell_holds hdmabuf_cell_point
 * wp: hdmabuf_cell_error hdmabuf_cell_arm store_point
 * fault POINT_GOES_BACK lib/core/timeline.c s/ || point < known//
 * fault ANY_STATUS lib/core/timeline.c s/error > HDMABUF_STATUS_FAILED/0/
 */
#include "assurance/proof/proof.h"

#include <hdmabuf/shared.h>
#include <hdmabuf/timeline.h>

/*@ assigns \nothing; */
static bool crossed(uint64_t old, uint64_t point, uint32_t wake);

/*@ requires \valid(cell);
    assigns *cell; */
static void store_point(struct hdmabuf_cell *cell, uint64_t point);

/*@ requires \valid(cell);
    assigns *cell; */
bool hdmabuf_cell_signal(struct hdmabuf_cell *cell, uint64_t old,
			 uint64_t point);

/*@ requires \valid_read(cell);
    assigns \nothing; */
bool hdmabuf_cell_holds(const struct hdmabuf_cell *cell, uint64_t point);

/* HDB-BOTH-056 */
/*@ requires \valid_read(cell);
    assigns proof_seen;
    ensures \result >= known; */
uint64_t hdmabuf_cell_point(const struct hdmabuf_cell *cell, uint64_t known);

/*@ requires \valid_read(cell);
    assigns proof_seen;
    ensures 0 <= \result <= HDMABUF_STATUS_FAILED; */
uint16_t hdmabuf_cell_error(const struct hdmabuf_cell *cell);

/*@ requires \valid(cell);
    assigns *cell; */
void hdmabuf_cell_arm(struct hdmabuf_cell *cell, uint64_t point);

/*@ assigns \nothing; */
static uint32_t high_word(uint64_t point);

/*@ assigns \nothing; */
static uint32_t low_word(uint64_t point);

#include "lib/core/timeline.c"
