/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where every field of the protocol lies
 *
 * Written by hand from the octet diagrams of the header, not from its asserts:
 * TYPE(type, octets) and FIELD(type, member, offset, octets).
 */
#ifndef HDMABUF_TESTS_LAYOUT_H
#define HDMABUF_TESTS_LAYOUT_H

#define LAYOUT(TYPE, FIELD) \
	TYPE(struct hdmabuf_channel, 2112) \
	FIELD(struct hdmabuf_channel, magic, 0, 4) \
	FIELD(struct hdmabuf_channel, version, 4, 4) \
	FIELD(struct hdmabuf_channel, epoch_frontend, 8, 8) \
	FIELD(struct hdmabuf_channel, epoch_backend, 16, 8) \
	FIELD(struct hdmabuf_channel, page_shift, 24, 4) \
	FIELD(struct hdmabuf_channel, ring_format, 28, 4) \
	FIELD(struct hdmabuf_channel, frontend_ring_order, 32, 4) \
	FIELD(struct hdmabuf_channel, backend_ring_order, 36, 4) \
	FIELD(struct hdmabuf_channel, timeline_pages, 40, 4) \
	FIELD(struct hdmabuf_channel, references, 44, 4) \
	FIELD(struct hdmabuf_channel, frontend_ring_start, 48, 4) \
	FIELD(struct hdmabuf_channel, backend_ring_start, 52, 4) \
	FIELD(struct hdmabuf_channel, zero, 56, 8) \
	FIELD(struct hdmabuf_channel, reference, 64, 2048) \
\
	TYPE(struct hdmabuf_ring_indices, 64) \
	FIELD(struct hdmabuf_ring_indices, req_prod, 0, 4) \
	FIELD(struct hdmabuf_ring_indices, req_event, 4, 4) \
	FIELD(struct hdmabuf_ring_indices, rsp_prod, 8, 4) \
	FIELD(struct hdmabuf_ring_indices, rsp_event, 12, 4) \
	FIELD(struct hdmabuf_ring_indices, zero, 16, 48) \
	TYPE(struct hdmabuf_ring_events, 128) \
	FIELD(struct hdmabuf_ring_events, req_event, 0, 4) \
	FIELD(struct hdmabuf_ring_events, zero_1, 4, 60) \
	FIELD(struct hdmabuf_ring_events, rsp_event, 64, 4) \
	FIELD(struct hdmabuf_ring_events, zero_2, 68, 60) \
\
	TYPE(struct hdmabuf_header, 8) \
	FIELD(struct hdmabuf_header, id, 0, 4) \
	FIELD(struct hdmabuf_header, operation, 4, 2) \
	FIELD(struct hdmabuf_header, status, 6, 2) \
\
	TYPE(struct hdmabuf_error, 64) \
	FIELD(struct hdmabuf_error, header, 0, 8) \
	FIELD(struct hdmabuf_error, where, 8, 4) \
	FIELD(struct hdmabuf_error, zero, 12, 4) \
	FIELD(struct hdmabuf_error, offset, 16, 8) \
	FIELD(struct hdmabuf_error, value, 24, 8) \
	FIELD(struct hdmabuf_error, zero1, 32, 32) \
\
	TYPE(struct hdmabuf_plain, 64) \
	FIELD(struct hdmabuf_plain, header, 0, 8) \
	FIELD(struct hdmabuf_plain, zero, 8, 56) \
\
	TYPE(struct hdmabuf_hello, 64) \
	FIELD(struct hdmabuf_hello, header, 0, 8) \
	FIELD(struct hdmabuf_hello, epoch_frontend, 8, 8) \
	FIELD(struct hdmabuf_hello, epoch_backend, 16, 8) \
	FIELD(struct hdmabuf_hello, features, 24, 8) \
	FIELD(struct hdmabuf_hello, max_octets, 32, 8) \
	FIELD(struct hdmabuf_hello, max_buffers, 40, 4) \
	FIELD(struct hdmabuf_hello, max_timelines, 44, 4) \
	FIELD(struct hdmabuf_hello, max_private, 48, 4) \
	FIELD(struct hdmabuf_hello, max_in_flight, 52, 4) \
	FIELD(struct hdmabuf_hello, zero, 56, 8) \
\
	TYPE(struct hdmabuf_close, 64) \
	FIELD(struct hdmabuf_close, header, 0, 8) \
	FIELD(struct hdmabuf_close, reason, 8, 4) \
	FIELD(struct hdmabuf_close, zero, 12, 52) \
\
	TYPE(struct hdmabuf_echo, 64) \
	FIELD(struct hdmabuf_echo, header, 0, 8) \
	FIELD(struct hdmabuf_echo, octets, 8, 56) \
\
	TYPE(struct hdmabuf_id, 16) \
	FIELD(struct hdmabuf_id, octets, 0, 16) \
\
	TYPE(struct hdmabuf_plane, 16) \
	FIELD(struct hdmabuf_plane, offset, 0, 8) \
	FIELD(struct hdmabuf_plane, stride, 8, 4) \
	FIELD(struct hdmabuf_plane, zero, 12, 4) \
\
	TYPE(struct hdmabuf_picture, 96) \
	FIELD(struct hdmabuf_picture, width, 0, 4) \
	FIELD(struct hdmabuf_picture, height, 4, 4) \
	FIELD(struct hdmabuf_picture, fourcc, 8, 4) \
	FIELD(struct hdmabuf_picture, planes, 12, 4) \
	FIELD(struct hdmabuf_picture, modifier, 16, 8) \
	FIELD(struct hdmabuf_picture, plane_first, 24, 4) \
	FIELD(struct hdmabuf_picture, plane_count, 28, 4) \
	FIELD(struct hdmabuf_picture, plane, 32, 64) \
\
	TYPE(struct hdmabuf_cyclic, 96) \
	FIELD(struct hdmabuf_cyclic, format, 0, 4) \
	FIELD(struct hdmabuf_cyclic, channels, 4, 4) \
	FIELD(struct hdmabuf_cyclic, rate, 8, 4) \
	FIELD(struct hdmabuf_cyclic, frame_octets, 12, 4) \
	FIELD(struct hdmabuf_cyclic, period_octets, 16, 4) \
	FIELD(struct hdmabuf_cyclic, position_timeline, 20, 4) \
	FIELD(struct hdmabuf_cyclic, zero, 24, 72) \
\
	TYPE(union hdmabuf_metadata, 96) \
	FIELD(union hdmabuf_metadata, picture, 0, 96) \
	FIELD(union hdmabuf_metadata, cyclic, 0, 96) \
	FIELD(union hdmabuf_metadata, raw, 0, 96) \
\
	TYPE(struct hdmabuf_descriptor, 256) \
	FIELD(struct hdmabuf_descriptor, magic, 0, 4) \
	FIELD(struct hdmabuf_descriptor, length, 4, 4) \
	FIELD(struct hdmabuf_descriptor, id, 8, 16) \
	FIELD(struct hdmabuf_descriptor, generation, 24, 8) \
	FIELD(struct hdmabuf_descriptor, size, 32, 8) \
	FIELD(struct hdmabuf_descriptor, pages, 40, 8) \
	FIELD(struct hdmabuf_descriptor, entries, 48, 8) \
	FIELD(struct hdmabuf_descriptor, directory, 56, 8) \
	FIELD(struct hdmabuf_descriptor, directory_pages, 64, 4) \
	FIELD(struct hdmabuf_descriptor, directory_format, 68, 4) \
	FIELD(struct hdmabuf_descriptor, data_offset, 72, 4) \
	FIELD(struct hdmabuf_descriptor, page_shift, 76, 4) \
	FIELD(struct hdmabuf_descriptor, rights, 80, 4) \
	FIELD(struct hdmabuf_descriptor, attributes, 84, 4) \
	FIELD(struct hdmabuf_descriptor, tag, 88, 8) \
	FIELD(struct hdmabuf_descriptor, type, 96, 4) \
	FIELD(struct hdmabuf_descriptor, private_octets, 100, 4) \
	FIELD(struct hdmabuf_descriptor, metadata, 104, 96) \
	FIELD(struct hdmabuf_descriptor, zero, 200, 56) \
\
	TYPE(struct hdmabuf_list_page, 8) \
	FIELD(struct hdmabuf_list_page, next, 0, 4) \
	FIELD(struct hdmabuf_list_page, reference, 4, 4) \
\
	TYPE(struct hdmabuf_extent, 16) \
	FIELD(struct hdmabuf_extent, reference, 0, 8) \
	FIELD(struct hdmabuf_extent, count, 8, 8) \
\
	TYPE(struct hdmabuf_extents_page, 32) \
	FIELD(struct hdmabuf_extents_page, next, 0, 8) \
	FIELD(struct hdmabuf_extents_page, count, 8, 4) \
	FIELD(struct hdmabuf_extents_page, zero, 12, 4) \
	FIELD(struct hdmabuf_extents_page, extent, 16, 16) \
\
	TYPE(struct hdmabuf_export, 64) \
	FIELD(struct hdmabuf_export, header, 0, 8) \
	FIELD(struct hdmabuf_export, id, 8, 16) \
	FIELD(struct hdmabuf_export, descriptor, 24, 8) \
	FIELD(struct hdmabuf_export, length, 32, 4) \
	FIELD(struct hdmabuf_export, zero, 36, 4) \
	FIELD(struct hdmabuf_export, zero1, 40, 24) \
\
	TYPE(struct hdmabuf_unexport, 64) \
	FIELD(struct hdmabuf_unexport, header, 0, 8) \
	FIELD(struct hdmabuf_unexport, id, 8, 16) \
	FIELD(struct hdmabuf_unexport, grace_ms, 24, 4) \
	FIELD(struct hdmabuf_unexport, zero, 28, 4) \
	FIELD(struct hdmabuf_unexport, zero1, 32, 32) \
\
	TYPE(struct hdmabuf_unexport_answer, 64) \
	FIELD(struct hdmabuf_unexport_answer, header, 0, 8) \
	FIELD(struct hdmabuf_unexport_answer, mapped, 8, 4) \
	FIELD(struct hdmabuf_unexport_answer, zero, 12, 4) \
	FIELD(struct hdmabuf_unexport_answer, zero1, 16, 48) \
\
	TYPE(struct hdmabuf_buffer_request, 64) \
	FIELD(struct hdmabuf_buffer_request, header, 0, 8) \
	FIELD(struct hdmabuf_buffer_request, id, 8, 16) \
	FIELD(struct hdmabuf_buffer_request, zero, 24, 40) \
\
	TYPE(struct hdmabuf_query_answer, 64) \
	FIELD(struct hdmabuf_query_answer, header, 0, 8) \
	FIELD(struct hdmabuf_query_answer, state, 8, 4) \
	FIELD(struct hdmabuf_query_answer, rights, 12, 4) \
	FIELD(struct hdmabuf_query_answer, size, 16, 8) \
	FIELD(struct hdmabuf_query_answer, pages, 24, 8) \
	FIELD(struct hdmabuf_query_answer, generation, 32, 8) \
	FIELD(struct hdmabuf_query_answer, tag, 40, 8) \
	FIELD(struct hdmabuf_query_answer, hand_offs, 48, 8) \
	FIELD(struct hdmabuf_query_answer, type, 56, 4) \
	FIELD(struct hdmabuf_query_answer, private_octets, 60, 4) \
\
	TYPE(struct hdmabuf_hand_off, 64) \
	FIELD(struct hdmabuf_hand_off, header, 0, 8) \
	FIELD(struct hdmabuf_hand_off, id, 8, 16) \
	FIELD(struct hdmabuf_hand_off, wait_point, 24, 8) \
	FIELD(struct hdmabuf_hand_off, signal_point, 32, 8) \
	FIELD(struct hdmabuf_hand_off, wait_timeline, 40, 4) \
	FIELD(struct hdmabuf_hand_off, signal_timeline, 44, 4) \
	FIELD(struct hdmabuf_hand_off, flags, 48, 4) \
	FIELD(struct hdmabuf_hand_off, zero, 52, 4) \
	FIELD(struct hdmabuf_hand_off, stamp, 56, 8) \
\
	TYPE(struct hdmabuf_allocate, 64) \
	FIELD(struct hdmabuf_allocate, header, 0, 8) \
	FIELD(struct hdmabuf_allocate, size, 8, 8) \
	FIELD(struct hdmabuf_allocate, tag, 16, 8) \
	FIELD(struct hdmabuf_allocate, modifier, 24, 8) \
	FIELD(struct hdmabuf_allocate, width, 32, 4) \
	FIELD(struct hdmabuf_allocate, height, 36, 4) \
	FIELD(struct hdmabuf_allocate, fourcc, 40, 4) \
	FIELD(struct hdmabuf_allocate, rights, 44, 4) \
	FIELD(struct hdmabuf_allocate, attributes, 48, 4) \
	FIELD(struct hdmabuf_allocate, zero, 52, 4) \
	FIELD(struct hdmabuf_allocate, zero1, 56, 8) \
\
	TYPE(struct hdmabuf_allocate_answer, 64) \
	FIELD(struct hdmabuf_allocate_answer, header, 0, 8) \
	FIELD(struct hdmabuf_allocate_answer, id, 8, 16) \
	FIELD(struct hdmabuf_allocate_answer, zero, 24, 40) \
\
	TYPE(struct hdmabuf_cpu_access, 64) \
	FIELD(struct hdmabuf_cpu_access, header, 0, 8) \
	FIELD(struct hdmabuf_cpu_access, id, 8, 16) \
	FIELD(struct hdmabuf_cpu_access, offset, 24, 8) \
	FIELD(struct hdmabuf_cpu_access, octets, 32, 8) \
	FIELD(struct hdmabuf_cpu_access, access, 40, 4) \
	FIELD(struct hdmabuf_cpu_access, zero, 44, 4) \
	FIELD(struct hdmabuf_cpu_access, zero1, 48, 16) \
\
	TYPE(struct hdmabuf_cell, 64) \
	FIELD(struct hdmabuf_cell, point_high, 0, 4) \
	FIELD(struct hdmabuf_cell, point_low, 4, 4) \
	FIELD(struct hdmabuf_cell, point_next, 8, 4) \
	FIELD(struct hdmabuf_cell, error, 12, 4) \
	FIELD(struct hdmabuf_cell, zero, 16, 16) \
	FIELD(struct hdmabuf_cell, wake, 32, 4) \
	FIELD(struct hdmabuf_cell, zero1, 36, 28) \
\
	TYPE(struct hdmabuf_timeline, 64) \
	FIELD(struct hdmabuf_timeline, header, 0, 8) \
	FIELD(struct hdmabuf_timeline, timeline, 8, 4) \
	FIELD(struct hdmabuf_timeline, signaller, 12, 4) \
	FIELD(struct hdmabuf_timeline, point, 16, 8) \
	FIELD(struct hdmabuf_timeline, zero, 24, 40) \
\
	TYPE(union hdmabuf_message, 64) \
	FIELD(union hdmabuf_message, header, 0, 8) \
	FIELD(union hdmabuf_message, plain, 0, 64) \
	FIELD(union hdmabuf_message, error, 0, 64) \
	FIELD(union hdmabuf_message, hello, 0, 64) \
	FIELD(union hdmabuf_message, close, 0, 64) \
	FIELD(union hdmabuf_message, echo, 0, 64) \
	FIELD(union hdmabuf_message, export_request, 0, 64) \
	FIELD(union hdmabuf_message, unexport, 0, 64) \
	FIELD(union hdmabuf_message, unexport_answer, 0, 64) \
	FIELD(union hdmabuf_message, buffer_request, 0, 64) \
	FIELD(union hdmabuf_message, query_answer, 0, 64) \
	FIELD(union hdmabuf_message, hand_off, 0, 64) \
	FIELD(union hdmabuf_message, allocate, 0, 64) \
	FIELD(union hdmabuf_message, allocate_answer, 0, 64) \
	FIELD(union hdmabuf_message, cpu_access, 0, 64) \
	FIELD(union hdmabuf_message, timeline, 0, 64) \
	FIELD(union hdmabuf_message, octets, 0, 64)

#define LAYOUT_LOCAL(TYPE, FIELD) \
	TYPE(struct hdmabuf_local_packet, 40) \
	FIELD(struct hdmabuf_local_packet, magic, 0, 4) \
	FIELD(struct hdmabuf_local_packet, type, 4, 4) \
	FIELD(struct hdmabuf_local_packet, version, 8, 4) \
	FIELD(struct hdmabuf_local_packet, page_shift, 12, 4) \
	FIELD(struct hdmabuf_local_packet, first, 16, 4) \
	FIELD(struct hdmabuf_local_packet, count, 20, 4) \
	FIELD(struct hdmabuf_local_packet, offset, 24, 8) \
	FIELD(struct hdmabuf_local_packet, rights, 32, 4) \
	FIELD(struct hdmabuf_local_packet, length, 36, 4)

#endif /* HDMABUF_TESTS_LAYOUT_H */
