/* SPDX-License-Identifier: MIT */
/*
 * What is said of a channel page that is taken
 *
 * wp: refuse reference_at hdmabuf_channel_pages read_fields check_epochs
 * wp: is_offered_format check_choice check_most check_sizes check_references
 * wp: hdmabuf_channel_decode
 * fault OLD_EPOCH lib/core/channel.c s/if (info->epoch_backend != offer->epoch)/if (0)/
 * fault NULL_REFERENCE lib/core/channel.c s/if (!info->reference\[i\])/if (0)/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/decimal.h"
#include "assurance/proof/proof.h"

#include <hdmabuf/channel.h>

/* Here, it is padding that is looked at. */
/*@ requires \valid_read(at + (0 .. octets - 1));
    assigns \nothing; */
bool octets_are_zero(const uint8_t *at, size_t octets);

/* Of records, and of pages that are written, to which this is not about. */
bool octets_equal(const void *a, const void *b, size_t octets);
void octets_clear(void *at, size_t octets);

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value);

/*@ requires \valid(fault) && status != 0;
    assigns *fault;
    ensures \result == status; */
static uint16_t refuse(struct hdmabuf_fault *fault, uint16_t status,
		       uint64_t offset, uint64_t value);

/*@ assigns \nothing; */
static uint64_t reference_at(uint32_t index);

/*@ requires \valid_read(info);
    assigns \nothing; */
uint32_t hdmabuf_channel_pages(const struct hdmabuf_channel_info *info);

/*@ requires \valid_read(page) && \valid(info) && \separated(page, info);
    assigns *info; */
static void read_fields(const struct hdmabuf_channel *page,
			struct hdmabuf_channel_info *info);

/*@
predicate is_this_session(struct hdmabuf_channel_info *info,
			  struct hdmabuf_offer *offer, integer epoch) =
	info->epoch_frontend == epoch && info->epoch_backend == offer->epoch;

predicate is_offered(struct hdmabuf_channel_info *info,
		     struct hdmabuf_offer *offer, integer page_shift) =
	offer->version_min <= info->version <= offer->version_max &&
	info->page_shift == page_shift && info->ring_format < 64;

predicate are_sizes(struct hdmabuf_channel_info *info,
		    struct hdmabuf_offer *offer) =
	info->frontend_ring_order <= offer->ring_order_max &&
	info->backend_ring_order <= offer->ring_order_max &&
	info->timeline_pages <= offer->timeline_max &&
	info->references <= HDMABUF_CHANNEL_REFERENCES_MAX;

predicate are_references(struct hdmabuf_channel_info *info) =
	\forall integer i; 0 <= i < info->references ==>
		info->reference[i] != 0;
*/

/*@ requires \valid_read(info) && \valid_read(offer) && \valid(fault);
    requires \separated(fault, info, offer);
    assigns *fault;
    ensures \result == 0 ==> is_this_session(info, offer, epoch_frontend); */
static uint16_t check_epochs(const struct hdmabuf_channel_info *info,
			     const struct hdmabuf_offer *offer,
			     uint64_t epoch_frontend,
			     struct hdmabuf_fault *fault);

/*@ requires \valid_read(offer);
    assigns \nothing;
    ensures \result ==> ring_format < 64; */
static bool is_offered_format(const struct hdmabuf_offer *offer,
			      uint32_t ring_format);

/*@ requires \valid_read(info) && \valid_read(offer) && \valid(fault);
    requires \separated(fault, info, offer);
    assigns *fault;
    ensures \result == 0 ==> is_offered(info, offer, page_shift); */
static uint16_t check_choice(const struct hdmabuf_channel_info *info,
			     const struct hdmabuf_offer *offer,
			     uint32_t page_shift, struct hdmabuf_fault *fault);

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == 0 ==> value <= most; */
static uint16_t check_most(uint32_t value, uint32_t most, uint64_t offset,
			   struct hdmabuf_fault *fault);

/*@ requires \valid_read(info) && \valid_read(offer) && \valid(fault);
    requires \separated(fault, info, offer);
    assigns *fault;
    ensures \result == 0 ==> are_sizes(info, offer); */
static uint16_t check_sizes(const struct hdmabuf_channel_info *info,
			    const struct hdmabuf_offer *offer,
			    struct hdmabuf_fault *fault);

/*@ requires \valid_read(info) && \valid(fault) && \separated(fault, info);
    requires info->references <= HDMABUF_CHANNEL_REFERENCES_MAX;
    assigns *fault;
    ensures \result == 0 ==> are_references(info); */
static uint16_t check_references(const struct hdmabuf_channel_info *info,
				 struct hdmabuf_fault *fault);

/*@ requires \valid_read(page) && \valid_read(offer);
    requires \valid(info) && \valid(fault);
    requires \separated(fault, info, offer, page);
    assigns *fault, *info;
    ensures \result == 0 ==> is_this_session(info, offer, epoch_frontend) &&
	is_offered(info, offer, page_shift) && are_sizes(info, offer) &&
	are_references(info); */
uint16_t hdmabuf_channel_decode(const struct hdmabuf_channel *page,
				const struct hdmabuf_offer *offer,
				uint64_t epoch_frontend, uint32_t page_shift,
				struct hdmabuf_channel_info *info,
				struct hdmabuf_fault *fault);

#include "lib/core/channel.c"
