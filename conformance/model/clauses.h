/* SPDX-License-Identifier: MIT */
/*
 * clauses.h - all clauses of the specification
 *
 * Made from the headers in protocol/ by scripts/make-clauses.
 */
#ifndef CONFORMANCE_CLAUSES_H
#define CONFORMANCE_CLAUSES_H

/* X(name, "id", duty, "text") */
/* clang-format off */
#define CLAUSES(X) \
	X(HDB_BE_001, "HDB-BE-001", MUST, "The backend MUST copy the channel page once, and use nothing but the copy.") \
	X(HDB_BE_002, "HDB-BE-002", MUST, "The backend MUST refuse a channel page with a wrong magic, with epochs other than those of the two records, with a page size that is not the platform's, with a version, a ring format, a ring order or a number of timeline pages that it did not offer, with a number of references that is not the sum of what it describes, or with zero fields that are not zero.") \
	X(HDB_BE_003, "HDB-BE-003", MUST, "To refuse a channel, the backend MUST unmap what it had mapped of it and publish a new offer, with a new epoch and the status in error.") \
	X(HDB_BE_004, "HDB-BE-004", MUST, "The backend MUST NOT consider itself connected before it has received a HELLO that carries its own epoch and the epoch of the frontend's record, and has answered it with status OK.") \
	X(HDB_BE_005, "HDB-BE-005", MUST, "The backend MUST take notice of a frontend's record only if its peer-epoch is the epoch of the backend's current offer.") \
	X(HDB_BE_006, "HDB-BE-006", MUST, "The backend MUST NOT send a request before it has answered HELLO with status OK.") \
	X(HDB_BE_007, "HDB-BE-007", MUST, "The backend MUST answer any request before HELLO, and any second HELLO, with HDMABUF_STATUS_WRONG_STATE.") \
	X(HDB_BE_008, "HDB-BE-008", MUST, "The backend MUST answer a HELLO with an epoch that is not the current one of each end with HDMABUF_STATUS_WRONG_EPOCH, and then make a new offer.") \
	X(HDB_BE_009, "HDB-BE-009", MUST, "The backend MUST answer a HELLO that accepts a feature it did not offer with HDMABUF_STATUS_NOT_NEGOTIATED, and then make a new offer.") \
	X(HDB_BE_010, "HDB-BE-010", MUST, "When a session is lost or closed, the backend MUST unmap the channel.") \
	X(HDB_BOTH_001, "HDB-BOTH-001", MUST, "Every octet that this specification calls zero or gives no meaning, in a message, a descriptor, a directory or the channel page, MUST be written as zero by the end that writes the structure.") \
	X(HDB_BOTH_002, "HDB-BOTH-002", MUST, "A receiver MUST refuse a request in which a zero field is not zero, with HDMABUF_STATUS_RESERVED.") \
	X(HDB_BOTH_003, "HDB-BOTH-003", MUST, "An end MUST be able to take a notification for which there is nothing to do.") \
	X(HDB_BOTH_004, "HDB-BOTH-004", MUST, "A reader of a record MUST refuse a value that is not a number in that form or lies outside the range its key allows. It treats the record as if it were absent until it changes.") \
	X(HDB_BOTH_005, "HDB-BOTH-005", MUST, "Unless the binding writes a record atomically, its writer MUST write epoch after all other keys and remove it before all others.") \
	X(HDB_BOTH_006, "HDB-BOTH-006", MUST, "Unless the binding reads a record atomically, its reader MUST read epoch before and after the other keys and, when the two differ, treat the record as absent until the store reports the next change.") \
	X(HDB_BOTH_007, "HDB-BOTH-007", MUST, "An end MUST compute places and counts with private copies of its own indices, never with what it finds in their place in the ring.") \
	X(HDB_BOTH_008, "HDB-BOTH-008", MUST, "A requester MUST NOT have more requests unanswered than the ring has slots, nor more than the responder's limit max_in_flight.") \
	X(HDB_BOTH_009, "HDB-BOTH-009", MUST, "An end MUST copy a message out of the ring once, after a read barrier that follows its reading of the producer index or the mark, and use nothing but the copy.") \
	X(HDB_BOTH_010, "HDB-BOTH-010", MUST, "A responder that finds req_prod more than a ring's slots ahead of the answers it has produced, or a requester that finds rsp_prod ahead of the requests it has produced, MUST treat the session as broken.") \
	X(HDB_BOTH_011, "HDB-BOTH-011", MUST, "A requester that finds an answer whose id or operation fits none of its unanswered requests MUST treat the session as broken.") \
	X(HDB_BOTH_012, "HDB-BOTH-012", MUST, "An end MUST bound the work that it does for a peer before it turns to others, whatever the indices say.") \
	X(HDB_BOTH_013, "HDB-BOTH-013", MUST, "After storing a producer index, an end MUST issue a full barrier, read the event field, and notify if the index has crossed it.") \
	X(HDB_BOTH_014, "HDB-BOTH-014", MUST, "Before it sleeps, a consumer MUST store the wanted index into the event field, issue a full barrier, and read the producer index again.") \
	X(HDB_BOTH_015, "HDB-BOTH-015", MUST, "An end MUST choose a new epoch for every attempt at a session, at random and from at least 2^48 values, never 0.") \
	X(HDB_BOTH_016, "HDB-BOTH-016", MUST, "A change of the epoch in the other's record, or its absence, ends the session or the attempt. An end that notices MUST first take the messages that are already in the rings.") \
	X(HDB_BOTH_017, "HDB-BOTH-017", MUST, "Between finding a request and handling it, an end MUST take the answers in its own ring.") \
	X(HDB_BOTH_018, "HDB-BOTH-018", MUST, "An end MUST NOT use a feature that was not accepted.") \
	X(HDB_BOTH_019, "HDB-BOTH-019", MUST, "An end MUST refuse the use of a feature that was not accepted, with HDMABUF_STATUS_NOT_NEGOTIATED.") \
	X(HDB_BOTH_020, "HDB-BOTH-020", MUST, "An end MUST NOT exceed a limit that the other has announced.") \
	X(HDB_BOTH_021, "HDB-BOTH-021", MUST, "An end MUST enforce the limits it has announced, and refuse what exceeds them with HDMABUF_STATUS_LIMIT.") \
	X(HDB_BOTH_022, "HDB-BOTH-022", MUST, "An end MUST check a limit before it allocates what the other's request asks for.") \
	X(HDB_BOTH_023, "HDB-BOTH-023", MUST, "An end MUST have unmapped every buffer that it imported before it sends CLOSE.") \
	X(HDB_BOTH_024, "HDB-BOTH-024", MUST, "An end MUST NOT send a request after it has sent or received CLOSE.") \
	X(HDB_BOTH_025, "HDB-BOTH-025", MUST, "An end that receives CLOSE MUST unmap every buffer that it imported before it answers with OK.") \
	X(HDB_BOTH_026, "HDB-BOTH-026", MUST, "Until its CLOSE is answered, an end MUST refuse every request but CLOSE with HDMABUF_STATUS_CLOSING.") \
	X(HDB_BOTH_027, "HDB-BOTH-027", MUST, "When a session is over, an end MUST end every wait on a point of that session's timelines, and every unanswered request of its own, with HDMABUF_STATUS_LOST.") \
	X(HDB_BOTH_028, "HDB-BOTH-028", MUST, "When a session is lost or closed, an end MUST unmap what it imported in that session as soon as its application lets go of it.") \
	X(HDB_BOTH_029, "HDB-BOTH-029", MUST, "An end that loses a session MUST be able to establish a new one without being restarted.") \
	X(HDB_BOTH_030, "HDB-BOTH-030", MUST, "An end MUST NOT let a peer that breaks the rules harm its sessions with other peers.") \
	X(HDB_BOTH_031, "HDB-BOTH-031", MUST, "A requester MUST NOT use the id of a request that is not answered yet for another one.") \
	X(HDB_BOTH_032, "HDB-BOTH-032", MUST, "An answer MUST repeat the id and the operation of its request.") \
	X(HDB_BOTH_033, "HDB-BOTH-033", MUST, "An end MUST answer every request exactly once.") \
	X(HDB_BOTH_034, "HDB-BOTH-034", MUST, "An end MUST NOT let an answer wait for anything that the other end has yet to do.") \
	X(HDB_BOTH_035, "HDB-BOTH-035", MUST, "An end MUST handle the requests of a ring in the order in which they were sent.") \
	X(HDB_BOTH_036, "HDB-BOTH-036", MUST, "An end MUST answer an operation that it does not know with HDMABUF_STATUS_UNKNOWN_OPERATION.") \
	X(HDB_BOTH_037, "HDB-BOTH-037", MUST, "A request that is refused MUST leave everything at the end that refuses it as it was before.") \
	X(HDB_BOTH_038, "HDB-BOTH-038", MUST, "Of several things that are wrong with a request, an end MUST report the first in this order: the operation is unknown; it needs a feature that was not accepted; the session is not in a state for it; a zero field is not zero; the buffer or timeline that it names does not exist; the sender is not the end who may send it; the buffer is not in a state for it; a field has a value that is not allowed; a limit is exceeded; what it refers to is wrong; something cannot be provided.") \
	X(HDB_BOTH_039, "HDB-BOTH-039", SHOULD, "An end SHOULD fill where, offset and value of an error so that the other can tell its user what to mend.") \
	X(HDB_BOTH_040, "HDB-BOTH-040", MUST, "A requester that receives a status it does not know MUST treat it as HDMABUF_STATUS_FAILED.") \
	X(HDB_BOTH_041, "HDB-BOTH-041", MUST, "An end whose max_buffers is not 0 MUST announce a max_private of at least 1024.") \
	X(HDB_BOTH_042, "HDB-BOTH-042", MUST, "An end MUST accept an id only in the session in which the buffer was exported, and answer any other with HDMABUF_STATUS_NO_SUCH_BUFFER, whether or not another session knows it.") \
	X(HDB_BOTH_043, "HDB-BOTH-043", MUST, "An end MUST refuse UPDATE and UNEXPORT of a buffer that it exported itself, and RELEASED of a buffer that it imported, with HDMABUF_STATUS_WRONG_ROLE.") \
	X(HDB_BOTH_044, "HDB-BOTH-044", MUST, "The receiver of a hand-off MUST NOT access the buffer before the wait point is reached.") \
	X(HDB_BOTH_045, "HDB-BOTH-045", MUST, "The receiver of a hand-off MUST signal the signal point when it has finished with that hand-off and with all earlier ones that name the same timeline.") \
	X(HDB_BOTH_046, "HDB-BOTH-046", MUST, "The sender of hand-offs that signal on one timeline MUST name a greater point in each.") \
	X(HDB_BOTH_047, "HDB-BOTH-047", MUST, "The receiver MUST refuse a hand-off whose signal point is not greater than the one named before on that timeline, or than the point reached, with HDMABUF_STATUS_INVALID.") \
	X(HDB_BOTH_048, "HDB-BOTH-048", MUST, "The receiver MUST NOT act upon a hand-off of a group before the last one of the group has come.") \
	X(HDB_BOTH_049, "HDB-BOTH-049", MUST, "The sender MUST NOT send any other request but CLOSE between the first hand-off of a group and the last.") \
	X(HDB_BOTH_050, "HDB-BOTH-050", MUST, "An end MUST refuse any request but HAND_OFF and CLOSE where the rest of a group is due, with HDMABUF_STATUS_WRONG_STATE, and go on waiting for the rest.") \
	X(HDB_BOTH_051, "HDB-BOTH-051", MUST, "An end MUST refuse to have a buffer of right LEND handed to it by an end that does not have it, with HDMABUF_STATUS_WRONG_STATE.") \
	X(HDB_BOTH_052, "HDB-BOTH-052", MUST, "An end MUST NOT create a timeline whose number is not less than the other end's max_timelines and the number of cells of its own area.") \
	X(HDB_BOTH_053, "HDB-BOTH-053", MUST, "The creator MUST set the cell to the initial point, with error and wake 0, before it sends TIMELINE_CREATE.") \
	X(HDB_BOTH_054, "HDB-BOTH-054", MUST, "Once a timeline is created, the signaller MUST write nothing of its cell but point_high, point_low, point_next and error, and the other end nothing but wake.") \
	X(HDB_BOTH_055, "HDB-BOTH-055", MUST, "A point MUST NOT decrease.") \
	X(HDB_BOTH_056, "HDB-BOTH-056", MUST, "A reader that finds a point less than it has seen before MUST keep the greater one.") \
	X(HDB_BOTH_057, "HDB-BOTH-057", MUST, "What a hand-off's receiver has to do with the buffer MUST be complete, and visible to the other end, before the point that says so is stored.") \
	X(HDB_BOTH_058, "HDB-BOTH-058", MUST, "After it has stored a point, the signaller MUST issue a full barrier, read wake, and notify the other end if the point has crossed it: if the low word went from old to new and new - wake is less than new - old modulo 2^32, or if the high word has changed.") \
	X(HDB_BOTH_059, "HDB-BOTH-059", MUST, "Before it sleeps, a waiter MUST store the low word of the point it waits for in wake, issue a full barrier, and read the point again.") \
	X(HDB_BOTH_060, "HDB-BOTH-060", MUST, "A waiter that finds error not 0 MUST end every wait for a point that is not reached, with that status.") \
	X(HDB_BOTH_061, "HDB-BOTH-061", MUST, "The end that destroys a timeline, and the other when it receives TIMELINE_DESTROY, MUST end every wait on it with HDMABUF_STATUS_CANCELLED.") \
	X(HDB_BOTH_062, "HDB-BOTH-062", MUST, "A sum or product of numbers from the other end that does not fit 64 bits MUST be refused as HDMABUF_STATUS_INVALID.") \
	X(HDB_BOTH_063, "HDB-BOTH-063", MUST, "An end MUST NOT crash, hang, access memory outside what is shared with it, or stop serving others, whatever the other end writes to memory or store.") \
	X(HDB_BOTH_064, "HDB-BOTH-064", MUST, "A requester that receives an answer in which a zero field is not zero, or a field has a value that its description does not allow, MUST treat the session as broken.") \
	X(HDB_BOTH_065, "HDB-BOTH-065", MUST, "The receiver of a hand-off MUST signal its signal point without accessing the buffer if the wait for the wait point ends with an error, or if the buffer is unexported while it still waits.") \
	X(HDB_BOTH_066, "HDB-BOTH-066", MUST, "The sender of a hand-off MUST NOT let its wait point depend on a hand-off that it sends later.") \
	X(HDB_BOTH_067, "HDB-BOTH-067", MUST, "An end MUST bound the hand-offs that it notes for a peer.") \
	X(HDB_BOTH_068, "HDB-BOTH-068", MUST, "An end MUST begin both rings at the indices that the channel page names.") \
	X(HDB_BOTH_069, "HDB-BOTH-069", MUST, "An answer with status OK MUST carry what the description of its operation says, or zeros if it says nothing.") \
	X(HDB_BOTH_070, "HDB-BOTH-070", MUST, "In a ring of format 1, an end MUST store the word that marks a batch after the rest of all its messages.") \
	X(HDB_BOTH_071, "HDB-BOTH-071", MUST, "An end that finds a mark which counts more requests than the ring has slots for which no answer was produced and none was taken, or more answers than there are requests unanswered, MUST treat the session as broken.") \
	X(HDB_BOTH_072, "HDB-BOTH-072", MUST, "An end MUST NOT take a mark for new that belongs to a message which it has taken.") \
	X(HDB_EXP_001, "HDB-EXP-001", MUST, "The exporter MUST choose the id of a buffer anew for every export, with at least 96 of its 128 bits from a random source that cannot be predicted, and never all zero.") \
	X(HDB_EXP_002, "HDB-EXP-002", MUST, "What lies outside the data in the pages of a buffer MUST be memory of the exporter that holds nothing else, and be zero when the buffer is exported.") \
	X(HDB_EXP_003, "HDB-EXP-003", MUST, "The exporter MUST keep the descriptor and, for EXPORT, the directory shared and unchanged from sending EXPORT or UPDATE until it is answered.") \
	X(HDB_EXP_004, "HDB-EXP-004", MUST, "The exporter MUST keep the pages of data shared until the buffer is released, whatever else happens.") \
	X(HDB_EXP_005, "HDB-EXP-005", MUST, "The exporter MUST fill every page of a directory but the last one of each level, and set what follows the last entry to zero.") \
	X(HDB_EXP_006, "HDB-EXP-006", MUST, "The exporter MUST NOT name a page of data twice in a directory.") \
	X(HDB_EXP_007, "HDB-EXP-007", MUST, "The exporter MUST NOT hand off, update or unexport a buffer before its EXPORT is answered with OK.") \
	X(HDB_EXP_008, "HDB-EXP-008", MUST, "The exporter MUST NOT export more than the importer's max_buffers, max_octets and max_private allow; a buffer counts with all its pages, until it is released.") \
	X(HDB_EXP_009, "HDB-EXP-009", MUST, "The exporter MUST NOT access, hand off or update a buffer while it is lent.") \
	X(HDB_EXP_010, "HDB-EXP-010", MUST, "The exporter MUST refuse a HAND_OFF of a buffer of right READ_ONLY with HDMABUF_STATUS_DENIED.") \
	X(HDB_EXP_011, "HDB-EXP-011", MUST, "An UPDATE MUST change nothing in the descriptor but generation, length, tag, type, metadata, private_octets and the private data.") \
	X(HDB_EXP_012, "HDB-EXP-012", MUST, "When a buffer is released, the exporter MUST revoke its pages before it uses them for anything else.") \
	X(HDB_EXP_013, "HDB-EXP-013", MUST, "When the grace period is over, the session is lost, or the platform reports a page still in use, the exporter MUST keep the pages of that buffer out of use until the platform has revoked them all: the buffer is in *quarantine*.") \
	X(HDB_EXP_014, "HDB-EXP-014", SHOULD, "The exporter SHOULD show its user how much is in quarantine, and since when.") \
	X(HDB_EXP_015, "HDB-EXP-015", MUST, "If the importer reports RELEASED after the grace period, the exporter MUST answer OK, and the buffer leaves quarantine as soon as its pages can be revoked.") \
	X(HDB_EXP_016, "HDB-EXP-016", MUST, "An end MUST answer ALLOCATE with OK only when the buffer is allocated and shared, so that nothing but sending EXPORT is left to do.") \
	X(HDB_EXP_017, "HDB-EXP-017", MUST, "An end that has answered ALLOCATE with OK MUST export the buffer with the id in its answer and the properties that were asked for.") \
	X(HDB_FE_001, "HDB-FE-001", MUST, "The frontend MUST make a new channel, of zeroed pages that hold nothing else, for every session.") \
	X(HDB_FE_002, "HDB-FE-002", MUST, "The channel page MUST be complete before the frontend publishes its record, and stay as it is afterwards.") \
	X(HDB_FE_003, "HDB-FE-003", SHOULD, "When offers carry error, or HELLO was refused, the frontend SHOULD wait longer before each further attempt, and report the status.") \
	X(HDB_FE_004, "HDB-FE-004", MUST, "The frontend MUST initialise the indices of both rings before it publishes its record.") \
	X(HDB_FE_005, "HDB-FE-005", MUST, "The frontend MUST NOT consider itself connected before it has received an answer to HELLO with status OK that carries its own epoch and the epoch of the offer that its record answers.") \
	X(HDB_FE_006, "HDB-FE-006", MUST, "HELLO MUST be the first request of the frontend in a session, and the only one until it is answered.") \
	X(HDB_FE_007, "HDB-FE-007", MUST, "The frontend MUST NOT accept in HELLO a feature that the backend did not offer.") \
	X(HDB_FE_008, "HDB-FE-008", MUST, "When a session is lost or closed, the frontend MUST keep the pages of the channel out of use until the platform has revoked them all.") \
	X(HDB_FE_009, "HDB-FE-009", MUST, "The frontend MUST answer every HELLO with HDMABUF_STATUS_WRONG_STATE.") \
	X(HDB_FE_010, "HDB-FE-010", MUST, "When a session is lost, or HELLO was refused, the frontend MUST withdraw its record, or replace it by one with another epoch.") \
	X(HDB_FE_011, "HDB-FE-011", SHOULD, "The frontend SHOULD choose the highest ring format that it knows of those offered.") \
	X(HDB_IMP_001, "HDB-IMP-001", MUST, "The importer MUST refuse an EXPORT whose id is already in use in the session, with HDMABUF_STATUS_DUPLICATE, and keep the first buffer as it is.") \
	X(HDB_IMP_002, "HDB-IMP-002", MUST, "The importer MUST copy the descriptor and every page of the directory once, and use nothing but the copies.") \
	X(HDB_IMP_003, "HDB-IMP-003", MUST, "The importer MUST validate descriptor and directory before it maps a page of data.") \
	X(HDB_IMP_004, "HDB-IMP-004", MUST, "The importer MUST map a buffer of right READ_ONLY without write access.") \
	X(HDB_IMP_005, "HDB-IMP-005", MUST, "The importer MUST map the pages of a buffer with the memory attribute that the descriptor names.") \
	X(HDB_IMP_006, "HDB-IMP-006", MUST, "The importer MUST check, with what it knows of the pixel format or sound format, that what it is going to access lies within the size of the buffer.") \
	X(HDB_IMP_007, "HDB-IMP-007", MUST, "The importer MUST NOT assume that the content of a buffer stays as it is while it looks at it.") \
	X(HDB_IMP_008, "HDB-IMP-008", SHOULD, "The importer SHOULD keep a buffer mapped between hand-offs.") \
	X(HDB_IMP_009, "HDB-IMP-009", MUST, "The importer MUST refuse a descriptor in which a field has a value that its description does not allow, or differs from the request that brought it, with HDMABUF_STATUS_INVALID and where DESCRIPTOR.") \
	X(HDB_IMP_010, "HDB-IMP-010", MUST, "The importer MUST refuse a descriptor whose private data, within the limit, it cannot keep whole.") \
	X(HDB_IMP_011, "HDB-IMP-011", MUST, "The importer MUST refuse a descriptor whose pages, entries or directory_pages are not what size, data_offset, page_shift and the format make them, with HDMABUF_STATUS_INVALID, before it reads the directory.") \
	X(HDB_IMP_012, "HDB-IMP-012", MUST, "The importer MUST refuse an entry that is zero, and a link that is zero too early or not zero at the end, with HDMABUF_STATUS_BAD_REFERENCE and where DIRECTORY.") \
	X(HDB_IMP_013, "HDB-IMP-013", MUST, "The importer MUST refuse a directory that names a page of data twice, with HDMABUF_STATUS_DUPLICATE and where PAGE.") \
	X(HDB_IMP_014, "HDB-IMP-014", MUST, "An importer that maps a buffer when EXPORT arrives, and cannot, MUST answer with HDMABUF_STATUS_BAD_REFERENCE, having unmapped everything that it had mapped for it.") \
	X(HDB_IMP_015, "HDB-IMP-015", MUST, "The importer MUST refuse an extent whose count is 0, whose last reference exceeds what the platform has, or that makes the sum of all counts differ from pages, with HDMABUF_STATUS_INVALID and where DIRECTORY.") \
	X(HDB_IMP_016, "HDB-IMP-016", MUST, "The importer MUST refuse a page of extents whose count is not what HDB-EXP-005 makes it, with HDMABUF_STATUS_INVALID and where DIRECTORY.") \
	X(HDB_IMP_017, "HDB-IMP-017", MUST, "The importer MUST NOT access a buffer of right LEND while it is not lent to it.") \
	X(HDB_IMP_018, "HDB-IMP-018", MUST, "The importer MUST refuse an UPDATE that changes anything else, or whose generation is not one more than before, with HDMABUF_STATUS_INVALID, and keep what it had.") \
	X(HDB_IMP_019, "HDB-IMP-019", MUST, "The importer MUST answer UNEXPORT with mapped 0 if it has no mapping of the buffer, which is released thereby, and else with mapped 1.") \
	X(HDB_IMP_020, "HDB-IMP-020", MUST, "After an answer with mapped 1, the importer MUST unmap the buffer within the grace period, if it can, and send RELEASED when it has.") \
	X(HDB_IMP_021, "HDB-IMP-021", MUST, "The importer MUST NOT map or hand off a buffer after it has received UNEXPORT.") \
	X(HDB_IMP_022, "HDB-IMP-022", MUST, "The importer MUST NOT have the buffer mapped when it sends RELEASED.") \
	X(HDB_IMP_023, "HDB-IMP-023", MUST, "The importer MUST refuse a descriptor or a page of a directory in which a zero field, or what follows the last entry, is not zero, with HDMABUF_STATUS_RESERVED.") \
	X(HDB_LOCAL_001, "HDB-LOCAL-001", MUST, "A backend that finds a socket at PATH MUST replace it only if nobody listens on it.") \
	X(HDB_LOCAL_002, "HDB-LOCAL-002", MUST, "ATTACH MUST be the first packet of each end, and come once.") \
	X(HDB_LOCAL_003, "HDB-LOCAL-003", MUST, "An end MUST close a connection on which it receives a packet that this binding does not allow, that has the wrong size, or that carries the wrong number of descriptors.") \
	X(HDB_LOCAL_004, "HDB-LOCAL-004", MUST, "An end MUST close every descriptor that it receives and does not keep.") \
	X(HDB_LOCAL_005, "HDB-LOCAL-005", MUST, "An end MUST bound the number of grants and the number of pages that it keeps for a connection, and close a connection that exceeds it.") \
	X(HDB_LOCAL_006, "HDB-LOCAL-006", MUST, "GRANT MUST NOT give a number that is 0 or still in use, nor a run that passes 2^32 - 1.") \
	X(HDB_LOCAL_007, "HDB-LOCAL-007", MUST, "The descriptor of a GRANT MUST be a memfd sealed against shrinking that has all the pages granted, or a dma-buf that has.") \
	X(HDB_LOCAL_008, "HDB-LOCAL-008", MUST, "A receiver of GRANT MUST check HDB-LOCAL-006 and HDB-LOCAL-007 before it keeps the descriptor.") \
	X(HDB_LOCAL_009, "HDB-LOCAL-009", MUST, "Memory that is granted READ_ONLY MUST be sealed against future writing (F_SEAL_FUTURE_WRITE and F_SEAL_SEAL), or be a dma-buf whose descriptor is not open for writing.") \
	X(HDB_LOCAL_010, "HDB-LOCAL-010", MUST, "An end that receives REVOKE MUST make no new mapping of these references and send REVOKED when no mapping of them is left.") \
	X(HDB_LOCAL_011, "HDB-LOCAL-011", MUST, "An end MUST NOT use memory for anything new that it has once granted.") \
	X(HDB_LOCAL_012, "HDB-LOCAL-012", MUST, "An end MUST make the eventfd that it receives non-blocking.") \
	X(HDB_LOCAL_013, "HDB-LOCAL-013", SHOULD, "An end SHOULD drop a connection over which no ATTACH comes within a few seconds.") \
	X(HDB_LOCAL_014, "HDB-LOCAL-014", MUST, "An end MUST NOT have more granted over a connection, and not REVOKED, than HDMABUF_LOCAL_GRANTS_MAX grants with HDMABUF_LOCAL_PAGES_MAX pages in HDMABUF_LOCAL_MEMORIES_MAX different memories.") \
	X(HDB_LOCAL_015, "HDB-LOCAL-015", MUST, "GRANT MUST be in the socket before any of its references stands in a record or in shared memory.") \
	X(HDB_LOCAL_016, "HDB-LOCAL-016", MUST, "A memfd that is granted MUST NOT consist of huge pages.") \
	X(HDB_LOCAL_017, "HDB-LOCAL-017", MUST, "The descriptor of a GRANT MUST be open for reading and, if the rights are READ_WRITE, for writing.") \
	X(HDB_LOCAL_018, "HDB-LOCAL-018", MUST, "REVOKE MUST name all the references of one GRANT, and no other.") \
	X(HDB_LOCAL_019, "HDB-LOCAL-019", MUST, "An end MUST NOT send anything after LEAVE.") \
	X(HDB_LOCAL_020, "HDB-LOCAL-020", MUST, "After LEAVE, an end MUST NOT end its side of the connection before it has unmapped all memory that was granted to it there.") \
	X(HDB_LOCAL_021, "HDB-LOCAL-021", MUST, "When a connection is over, an end MUST take its references for revoked only when the other has ended its side, and has either sent LEAVE before or is a process that has ended.") \
	X(HDB_LOCAL_022, "HDB-LOCAL-022", MUST, "An end MUST check that the descriptor of an ATTACH is an eventfd before it writes to it.") \
	X(HDB_LOCAL_023, "HDB-LOCAL-023", MUST, "An end MUST close a connection whose ATTACH has a version or a page size other than its own.") \
	X(HDB_LOCAL_024, "HDB-LOCAL-024", MUST, "After it has sent LEAVE, an end MUST ignore everything that it receives but REVOKED and LEAVE.") \
	X(HDB_LOCAL_025, "HDB-LOCAL-025", MUST, "An end MUST NOT rely on a read of its own eventfd not to block.") \
	X(HDB_PLAT_001, "HDB-PLAT-001", MUST, "A reference MUST name exactly one page.") \
	X(HDB_PLAT_002, "HDB-PLAT-002", MUST, "A reference MUST NOT be usable by any end but the one that it was made for.") \
	X(HDB_PLAT_003, "HDB-PLAT-003", MUST, "Zero MUST NOT be a valid reference.") \
	X(HDB_PLAT_004, "HDB-PLAT-004", MUST, "A page shared read-only MUST NOT be writable by the other end, whatever that end does; a platform that cannot enforce this refuses to share the page read-only.") \
	X(HDB_PLAT_005, "HDB-PLAT-005", MUST, "Revoking a reference MUST either succeed, after which no mapping of the page by the other end is left or can be made, or report that the page is still in use.") \
	X(HDB_PLAT_006, "HDB-PLAT-006", MUST, "Mapping several references MUST either map all of them, in order and contiguously, or none, and say which reference failed.") \
	X(HDB_PLAT_007, "HDB-PLAT-007", MUST, "A mapped page MUST stay accessible without fault until it is unmapped, even if the other end dies or tries to take it back.") \
	X(HDB_PLAT_008, "HDB-PLAT-008", MUST, "Stores to shared memory MUST become visible to the other end in the order that the barriers of this specification ask for.") \
	X(HDB_PLAT_009, "HDB-PLAT-009", MUST, "A notification sent after a store MUST wake the other end so that it sees the store. Several may merge into one; none may be lost.") \
	X(HDB_PLAT_010, "HDB-PLAT-010", MUST, "An end MUST NOT be able to write the record of another.") \
	X(HDB_PLAT_011, "HDB-PLAT-011", MUST, "A change of a record MUST be reported to the other end in bounded time; several changes may be reported as one.") \
	X(HDB_PLAT_012, "HDB-PLAT-012", MUST, "The end of a peer, by death, destruction or migration, MUST be reported as a change of its record, which is gone from then on.") \
	X(HDB_XEN_001, "HDB-XEN-001", MUST, "The toolstack MUST make both directories in one transaction, each owned by the domain of its end, readable by the domain of the other, and by no third.") \
	X(HDB_XEN_002, "HDB-XEN-002", MUST, "A backend MUST take the domain of a frontend from its own directory, never from what the frontend has written.") \
	X(HDB_XEN_003, "HDB-XEN-003", MUST, "An end MUST take it for the end of the other when its own directory or the other's is removed.") \
	X(HDB_XEN_004, "HDB-XEN-004", SHOULD, "An end SHOULD publish, replace and withdraw its record in one transaction.") \
	X(HDB_XEN_005, "HDB-XEN-005", MUST, "A reader MUST read the nodes that it knows by their names, and not list the other's directory.") \
	X(HDB_XEN_006, "HDB-XEN-006", MUST, "A reader MUST treat a record in which a value is longer than HDMABUF_VALUE_OCTETS, or has an octet that is not printable ASCII, as absent.") \
	X(HDB_XEN_007, "HDB-XEN-007", MUST, "An end MUST NOT conclude from the other's state that a session exists, or that one is over.") \
	X(HDB_XEN_008, "HDB-XEN-008", MUST, "An end MUST treat the record of an end that it has seen die, or leave, as absent until its epoch has changed.") \
	X(HDB_XEN_009, "HDB-XEN-009", MUST, "An end that starts MUST remove what its directory still has of an earlier record.") \
	X(HDB_XEN_010, "HDB-XEN-010", MUST, "An end MUST grant a page to the domain of the other end only.") \
	X(HDB_XEN_011, "HDB-XEN-011", MUST, "An end MUST grant what it shares READ_ONLY with the flag GTF_readonly.") \
	X(HDB_XEN_012, "HDB-XEN-012", SHOULD, "An end SHOULD map the pages of a buffer with one call, not page after page.") \
	X(HDB_XEN_013, "HDB-XEN-013", MUST, "The frontend MUST make the link page and the pages of marks, of zeroed pages that hold nothing else, and complete them before it publishes a record that names them.") \
	X(HDB_XEN_014, "HDB-XEN-014", MUST, "The frontend MUST choose the number of a link at random, from at least 2^48 values, and never 0.") \
	X(HDB_XEN_015, "HDB-XEN-015", MUST, "The backend MUST NOT bind a port or map a reference of a record whose peer-epoch is not the epoch of its own.") \
	X(HDB_XEN_016, "HDB-XEN-016", MUST, "The backend MUST copy the constant fields of the link page once, and treat the record as absent if they have a wrong magic, a version that it did not offer, a number other than link, a number of pages that is not allowed, a reference that is zero, or zero fields that are not zero.") \
	X(HDB_XEN_017, "HDB-XEN-017", MUST, "The backend MUST have attached before it maps any other reference of the frontend.") \
	X(HDB_XEN_018, "HDB-XEN-018", MUST, "An end MUST see to it that its here becomes GONE, and the other is notified, when it ends in whatever way.") \
	X(HDB_XEN_019, "HDB-XEN-019", MUST, "An end MUST NOT set its here to GONE before it has unmapped all the other's references, but for the link's own.") \
	X(HDB_XEN_020, "HDB-XEN-020", MUST, "When the other's here is, or has been, LEAVING or GONE, an end MUST take it that the other's record is gone, and make nothing new over this link.") \
	X(HDB_XEN_021, "HDB-XEN-021", MUST, "An end MUST set the mark of a reference before it maps it, and clear it only when neither this nor another reference with that mark is mapped any more.") \
	X(HDB_XEN_022, "HDB-XEN-022", MUST, "The frontend MUST make as many pages for the backend's marks as use-pages asks for.") \
	X(HDB_XEN_023, "HDB-XEN-023", MUST, "An end that has cleared marks MUST then, after a full barrier, look at the other's waits, and notify if it is not 0.") \
	X(HDB_XEN_024, "HDB-XEN-024", MUST, "An end that cannot end a grant in one step MUST take a reference for in use unless its mark is clear, or the other's here is GONE or was never set, or the other's domain is no more.") \
	X(HDB_XEN_025, "HDB-XEN-025", MUST, "Memory whose grants end only with its pages MUST NOT be put to any use but being shared with the same domain, from when it is granted to when it is freed.") \
	X(HDB_XEN_026, "HDB-XEN-026", MUST, "An end MUST NOT share a dma-buf by gntdev (IMP_TO_REFS) with a domain that it does not trust.") \
	X(HDB_XEN_027, "HDB-XEN-027", MUST, "An end MUST unmask its port before it looks for what it was notified of.") \
	X(HDB_XEN_028, "HDB-XEN-028", MUST, "An end MUST NOT take a domain for being no more unless XenStore says so (XS_IS_DOMAIN_INTRODUCED, @releaseDomain), or Xen does: no event channel can be bound to it, ESRCH.") \
	X(HDB_XEN_029, "HDB-XEN-029", SHOULD, "An end SHOULD close its sessions, unmap everything and leave its links before its domain is suspended, and begin anew when it is resumed.") \
	X(HDB_XEN_030, "HDB-XEN-030", MUST, "An end that finds itself in a domain with another number than before MUST take all its links for lost.") \
	X(HDB_XEN_031, "HDB-XEN-031", MUST, "The backend MUST clear all marks of the frontend's references before it sets its here to HERE.")
/* clang-format on */

/* HDB_BOTH_001 and so on. */
#define CLAUSE_NAME(name, id, duty, text) name,
enum clause {
	CLAUSES(CLAUSE_NAME) CLAUSE_COUNT
};
#undef CLAUSE_NAME

#endif
