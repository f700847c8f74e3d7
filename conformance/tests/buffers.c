/* SPDX-License-Identifier: MIT */
#include "conformance/tests/buffers.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- answers ------------------------------------------------------------ */

/* An end that says so is in its right, whatever it is asked for. */
static bool cannot_provide(uint16_t status)
{
	return status == HDMABUF_STATUS_UNSUPPORTED ||
	       status == HDMABUF_STATUS_DENIED ||
	       status == HDMABUF_STATUS_NO_MEMORY ||
	       status == HDMABUF_STATUS_NO_REFERENCES ||
	       status == HDMABUF_STATUS_BUSY;
}

bool check_taken(struct test *test, enum clause clause, uint16_t status,
		 const char *what)
{
	if (cannot_provide(status))
		inconclusive(test, "%s: the IUT says %s", what,
			     wire_status_name(status));
	return check_status(test, clause, status, HDMABUF_STATUS_OK,
			    "%s, which is in order", what);
}

bool check_lies_in(struct test *test, enum clause clause, const uint8_t *answer,
		   uint32_t where, const char *what)
{
	uint64_t seen = wire_get(answer, ERROR_WHERE);

	return check(test, clause, seen == where,
		     "%s: where %u expected, %" PRIu64 " seen", what, where,
		     seen);
}

bool check_value(struct test *test, const uint8_t *answer, uint64_t value,
		 const char *what)
{
	uint64_t seen = wire_get(answer, ERROR_VALUE);

	return check(test, HDB_BOTH_039, seen == value,
		     "%s: value %" PRIu64 " expected, %" PRIu64 " seen", what,
		     value, seen);
}

/* ---- wrong fields ------------------------------------------------------- */

uint64_t spoil_field(const struct end *end, void *structure,
		     const struct spoilt *spoilt)
{
	uint64_t value = spoilt->value;

	if (spoilt->making == ADD)
		value += wire_get(structure, spoilt->place);
	if (spoilt->making == PAGE)
		value += 1ull << end->platform.ops->page_shift;
	wire_put(structure, spoilt->place, value);
	return wire_get(structure, spoilt->place);
}

void check_blame(struct test *test, const uint8_t *answer,
		 const struct spoilt *spoilt, uint64_t value, const char *what)
{
	if (spoilt->also &&
	    wire_get(answer, ERROR_OFFSET) == wire_offset(spoilt->also))
		return;
	check_where(test, answer, HDMABUF_WHERE_DESCRIPTOR,
		    wire_offset(spoilt->place), what);
	check_value(test, answer, value, what);
}

/* ---- buffers of the suite ----------------------------------------------- */

/* What an answer to QUERY and a descriptor have in common. */
static const struct {
	unsigned int answer;
	unsigned int descriptor;
	const char *name;
} told[] = {
	{ QUERY_ANSWER_RIGHTS, DESCRIPTOR_RIGHTS, "rights" },
	{ QUERY_ANSWER_SIZE, DESCRIPTOR_SIZE, "size" },
	{ QUERY_ANSWER_PAGES, DESCRIPTOR_PAGES, "pages" },
	{ QUERY_ANSWER_GENERATION, DESCRIPTOR_GENERATION, "generation" },
	{ QUERY_ANSWER_TAG, DESCRIPTOR_TAG, "tag" },
	{ QUERY_ANSWER_TYPE, DESCRIPTOR_TYPE, "type" },
	{ QUERY_ANSWER_PRIVATE, DESCRIPTOR_PRIVATE, "private_octets" },
};

uint32_t check_query_of(struct end *end, const uint8_t id[16],
			enum clause clause, const uint8_t *descriptor,
			const char *what)
{
	struct test *test = end->test;
	message_t answer;

	if (!check_status(test, clause,
			  ask_about(end, HDMABUF_OP_QUERY, id, answer),
			  HDMABUF_STATUS_OK, "%s: QUERY", what))
		return HDMABUF_BUFFER_NONE;
	for (size_t i = 0; i < COUNT_OF(told); i++) {
		uint64_t seen = wire_get(answer, told[i].answer);
		uint64_t expected = wire_get(descriptor, told[i].descriptor);

		check(test, clause, seen == expected,
		      "%s: QUERY tells %s %" PRIu64 ", not %" PRIu64, what,
		      told[i].name, seen, expected);
	}
	return (uint32_t)wire_get(answer, QUERY_ANSWER_STATE);
}

uint32_t check_query(struct buffer *buffer, enum clause clause,
		     const uint8_t *descriptor, const char *what)
{
	return check_query_of(buffer->end, buffer->id, clause, descriptor,
			      what);
}

uint32_t query_state(struct buffer *buffer)
{
	message_t answer;

	if (buffer_query(buffer, answer) != HDMABUF_STATUS_OK)
		return HDMABUF_BUFFER_NONE;
	return (uint32_t)wire_get(answer, QUERY_ANSWER_STATE);
}

void check_unknown(struct buffer *buffer, enum clause clause, const char *what)
{
	check_status(buffer->end->test, clause, buffer_query(buffer, NULL),
		     HDMABUF_STATUS_NO_SUCH_BUFFER, "%s: QUERY afterwards",
		     what);
}

bool await_released(struct buffer *buffer)
{
	struct received *request;

	do
		request = end_await_request(buffer->end, HDMABUF_OP_RELEASED);
	while (request && memcmp(request->octets + wire_offset(BUFFER_ID),
				 buffer->id, sizeof(buffer->id)));
	return request;
}

void give_back(struct buffer *buffer)
{
	message_t answer;
	uint16_t status = buffer_unexport(buffer, 0, answer);

	if (status != HDMABUF_STATUS_OK)
		inconclusive(buffer->end->test, "UNEXPORT is refused with %s",
			     wire_status_name(status));
	if (wire_get(answer, UNEXPORT_ANSWER_MAPPED) && !await_released(buffer))
		inconclusive(buffer->end->test,
			     "the IUT does not release a buffer");
}

/* Timeline 0 of the suite, signalled by the IUT. */
static const struct watched *turns_of(struct end *end)
{
	const struct watched *watched = &end->watched[end->role][0];
	uint16_t status;

	if (watched->open)
		return watched;
	if (!end->peer.max_timelines)
		skip(end->test, "the IUT takes no timelines");
	status = end_create_timeline(end, 0, HDMABUF_SIGNALLER_PEER, 0);
	if (status != HDMABUF_STATUS_OK)
		inconclusive(end->test, "a timeline is refused with %s",
			     wire_status_name(status));
	return watched;
}

bool take_turn(struct buffer *buffer)
{
	struct end *end = buffer->end;
	uint64_t point = turns_of(end)->point + 1;
	uint16_t status = buffer_hand_off(buffer, 0, point, NULL);

	if (status != HDMABUF_STATUS_OK)
		inconclusive(end->test, "a hand-off is refused with %s",
			     wire_status_name(status));
	return end_await_point(end, end->role, 0, point);
}

void check_turn(struct buffer *buffer, enum clause clause, const char *what)
{
	struct test *test = buffer->end->test;
	char name[33], expected[32];
	const char *seen;

	buffer_hand_off(buffer, HDMABUF_NO_TIMELINE, 0, NULL);
	snprintf(expected, sizeof(expected), "stamp=0 crc=%08x",
		 buffer_crc(buffer));
	seen = event_await(test, "turn %s", buffer_name(buffer, name));
	if (!seen)
		inconclusive(test, "%s: the IUT does not tell of the hand-off",
			     what);
	check(test, clause, !strcmp(seen, expected),
	      "%s: '%s' expected of its data, '%s' seen", what, expected, seen);
}

/* On Xen, what is taken back can be mapped until it is freed, and is soon another's. */
#define NO_GRANT 0x7fffff00u

uint64_t dead_reference(struct end *end)
{
	struct hdmabuf_memory *memory =
		end_allocate(end, 1, HDMABUF_RIGHTS_READ_WRITE);
	struct hdmabuf_run run;
	uint64_t reference;

	if (!strcmp(end->platform.ops->name, "xen"))
		return NO_GRANT;
	end_share_runs(end, memory, 0, 1, HDMABUF_RIGHTS_READ_WRITE, &run);
	reference = run.reference;
	if (!end_revoke(end, &run, 1, test_deadline(end->test)))
		inconclusive(end->test,
			     "a page that nobody uses cannot be taken back");
	return reference;
}

/* ---- requests that name a buffer ---------------------------------------- */

const uint16_t naming_operations[] = {
	HDMABUF_OP_UPDATE,   HDMABUF_OP_UNEXPORT,
	HDMABUF_OP_RELEASED, HDMABUF_OP_HAND_OFF,
	HDMABUF_OP_QUERY,    HDMABUF_OP_CPU_BEGIN,
	HDMABUF_OP_CPU_END,  0,
};

void named_message(uint16_t operation, const uint8_t id[16], message_t message)
{
	message_init(message, operation);
	memcpy(message + wire_offset(BUFFER_ID), id, 16);
	switch (operation) {
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		wire_put(message, EXPORT_DESCRIPTOR, 1);
		wire_put(message, EXPORT_LENGTH, WIRE_DESCRIPTOR_OCTETS);
		break;
	case HDMABUF_OP_HAND_OFF:
		wire_put(message, HAND_OFF_WAIT_TIMELINE, HDMABUF_NO_TIMELINE);
		wire_put(message, HAND_OFF_SIGNAL_TIMELINE,
			 HDMABUF_NO_TIMELINE);
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		wire_put(message, CPU_ACCESS_OCTETS, 1);
		wire_put(message, CPU_ACCESS_ACCESS, HDMABUF_ACCESS_READ);
		break;
	default:
		break;
	}
}

uint16_t ask_about(struct end *end, uint16_t operation, const uint8_t id[16],
		   uint8_t *answer)
{
	message_t message;

	named_message(operation, id, message);
	return end_ask(end, message, answer);
}

bool is_negotiated(const struct end *end, uint16_t operation)
{
	switch (operation) {
	case HDMABUF_OP_UPDATE:
		return end->features & HDMABUF_FEATURE_UPDATE;
	case HDMABUF_OP_ALLOCATE:
		return end->features & HDMABUF_FEATURE_ALLOCATE;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		return end->features & HDMABUF_FEATURE_CPU_ACCESS;
	default:
		return true;
	}
}

/* ---- memory of the IUT -------------------------------------------------- */

/* "77 (name) S 1 77 ...": the second number behind the name is the group. */
static bool is_in_group(const char *process, pid_t group)
{
	char path[300], line[512] = "";
	const char *name;
	FILE *file;
	int seen = 0;

	snprintf(path, sizeof(path), "/proc/%s/stat", process);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	name = strrchr(line, ')');
	return name && sscanf(name + 1, " %*c %*d %d", &seen) == 1 &&
	       seen == group;
}

/* "START-END rw-p OFFSET MAJOR:MINOR INODE PATH" */
static void add_mapping(const char *line, const struct stat *memory,
			struct mappings *mappings)
{
	unsigned int major_number, minor_number;
	uint64_t start, inode;
	char rights[5];

	if (sscanf(line, "%" SCNx64 "-%*x %4s %*x %x:%x %" SCNu64, &start,
		   rights, &major_number, &minor_number, &inode) != 5 ||
	    inode != memory->st_ino ||
	    makedev(major_number, minor_number) != memory->st_dev)
		return;
	if (!mappings->count++)
		mappings->address = start;
	if (rights[1] == 'w')
		mappings->writable++;
}

static void add_mappings(const char *process, const struct stat *memory,
			 struct mappings *mappings)
{
	char path[300], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/maps", process);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		add_mapping(line, memory, mappings);
	fclose(file);
}

/* All processes that the command has started, as a shell may be among them. */
bool iut_mappings(const struct buffer *buffer, struct mappings *mappings)
{
	pid_t group = test_iut_pid(buffer->end->test);
	const struct dirent *entry;
	struct stat memory;
	DIR *processes;

	memset(mappings, 0, sizeof(*mappings));
	if (group <= 0 || fstat(buffer->memory->fd, &memory))
		return false;
	processes = opendir("/proc");
	if (!processes)
		return false;
	while ((entry = readdir(processes)))
		if (is_in_group(entry->d_name, group))
			add_mappings(entry->d_name, &memory, mappings);
	closedir(processes);
	return true;
}

struct mappings see_mappings(const struct buffer *buffer)
{
	struct mappings mappings;

	if (!iut_mappings(buffer, &mappings))
		skip(buffer->end->test,
		     "what the IUT has mapped cannot be seen: it is not a process of the suite");
	return mappings;
}

bool is_unmapped(struct buffer *buffer)
{
	struct mappings mappings;

	if (iut_mappings(buffer, &mappings))
		return !mappings.count;
	return buffer_revoke(buffer, test_deadline(buffer->end->test));
}

/* ---- buffers of the IUT ------------------------------------------------- */

static struct received *tell(struct end *end, const char *format,
			     va_list arguments)
{
	struct received *request;
	char what[256];

	vsnprintf(what, sizeof(what), format, arguments);
	control(end->test, "export %s", what);
	request = end_await_request(end, HDMABUF_OP_EXPORT);
	if (!request)
		inconclusive(end->test,
			     "the IUT does not export what it was told to");
	return request;
}

struct received *tell_export(struct end *end, const char *format, ...)
{
	struct received *request;
	va_list arguments;

	va_start(arguments, format);
	request = tell(end, format, arguments);
	va_end(arguments);
	return request;
}

struct their_buffer *let_export(struct end *end, const char *format, ...)
{
	struct their_buffer *buffer;
	struct received *request;
	va_list arguments;

	va_start(arguments, format);
	request = tell(end, format, arguments);
	va_end(arguments);
	buffer = end_find_buffer(end, request->octets + wire_offset(EXPORT_ID));
	if (!buffer)
		inconclusive(end->test,
			     "what the IUT exports cannot be imported");
	catch_up(end);
	return buffer;
}

void catch_up(struct end *end)
{
	message_t echo;

	message_init(echo, HDMABUF_OP_ECHO);
	end_ask(end, echo, NULL);
}

bool asks_nothing(struct end *end, uint16_t operation)
{
	catch_up(end);
	return !end_find_request(end, operation);
}
