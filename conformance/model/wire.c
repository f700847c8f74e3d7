/* SPDX-License-Identifier: MIT */
#include "conformance/model/wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FIELD(structure, FIELD, name, offset, octets, kind) \
	{ name, WIRE_PLACE(offset, octets), WIRE_##kind },
#define FIELDS_OF(structure) \
	static const struct wire_field structure##_fields[] = { \
		WIRE_##structure(FIELD) \
	};
#define FORMAT(name, structure) \
	{ \
		name, structure##_fields, COUNT(structure##_fields) \
	}

WIRE_FORMATS(FIELDS_OF)

const uint16_t wire_operations[] = {
	HDMABUF_OP_HELLO,
	HDMABUF_OP_CLOSE,
	HDMABUF_OP_ECHO,
	HDMABUF_OP_EXPORT,
	HDMABUF_OP_UPDATE,
	HDMABUF_OP_UNEXPORT,
	HDMABUF_OP_RELEASED,
	HDMABUF_OP_HAND_OFF,
	HDMABUF_OP_QUERY,
	HDMABUF_OP_ALLOCATE,
	HDMABUF_OP_CPU_BEGIN,
	HDMABUF_OP_CPU_END,
	HDMABUF_OP_TIMELINE_CREATE,
	HDMABUF_OP_TIMELINE_DESTROY,
	0,
};

/* ---- numbers ------------------------------------------------------------ */

uint64_t wire_get(const void *structure, unsigned int place)
{
	const uint8_t *octets = (const uint8_t *)structure + wire_offset(place);
	uint64_t number = 0;

	for (size_t i = wire_octets(place); i > 0; i--)
		number = number << 8 | octets[i - 1];
	return number;
}

void wire_put(void *structure, unsigned int place, uint64_t number)
{
	uint8_t *octets = (uint8_t *)structure + wire_offset(place);

	for (size_t i = 0; i < wire_octets(place); i++) {
		octets[i] = (uint8_t)number;
		number >>= 8;
	}
}

bool wire_is_zero(const void *octets, size_t count)
{
	const uint8_t *octet = octets;

	for (size_t i = 0; i < count; i++)
		if (octet[i])
			return false;
	return true;
}

/* ---- forms -------------------------------------------------------------- */

/* Of an operation, the form of its request and of its answer. */
static const struct {
	uint16_t operation;
	const char *name;
	struct wire_format request, answer;
} operations[] = {
	{ HDMABUF_OP_HELLO, "HELLO", FORMAT("hello", HELLO),
	  FORMAT("hello", HELLO) },
	{ HDMABUF_OP_CLOSE, "CLOSE", FORMAT("close", CLOSE),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_ECHO, "ECHO", FORMAT("echo", ECHO), FORMAT("echo", ECHO) },
	{ HDMABUF_OP_EXPORT, "EXPORT", FORMAT("export", EXPORT),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_UPDATE, "UPDATE", FORMAT("export", EXPORT),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_UNEXPORT, "UNEXPORT", FORMAT("unexport", UNEXPORT),
	  FORMAT("unexport_answer", UNEXPORT_ANSWER) },
	{ HDMABUF_OP_RELEASED, "RELEASED", FORMAT("buffer_request", BUFFER),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_HAND_OFF, "HAND_OFF", FORMAT("hand_off", HAND_OFF),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_QUERY, "QUERY", FORMAT("buffer_request", BUFFER),
	  FORMAT("query_answer", QUERY_ANSWER) },
	{ HDMABUF_OP_ALLOCATE, "ALLOCATE", FORMAT("allocate", ALLOCATE),
	  FORMAT("allocate_answer", ALLOCATE_ANSWER) },
	{ HDMABUF_OP_CPU_BEGIN, "CPU_BEGIN", FORMAT("cpu_access", CPU_ACCESS),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_CPU_END, "CPU_END", FORMAT("cpu_access", CPU_ACCESS),
	  FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_TIMELINE_CREATE, "TIMELINE_CREATE",
	  FORMAT("timeline", TIMELINE), FORMAT("plain", PLAIN) },
	{ HDMABUF_OP_TIMELINE_DESTROY, "TIMELINE_DESTROY",
	  FORMAT("timeline", TIMELINE), FORMAT("plain", PLAIN) },
};

static const struct wire_format error_format = FORMAT("error", ERROR);
static const struct wire_format channel_format = FORMAT("channel", CHANNEL);
static const struct wire_format descriptor_format =
	FORMAT("descriptor", DESCRIPTOR);
static const struct wire_format metadata_formats[] = {
	[HDMABUF_TYPE_RAW] = FORMAT("raw", RAW),
	[HDMABUF_TYPE_PICTURE] = FORMAT("picture", PICTURE),
	[HDMABUF_TYPE_CYCLIC] = FORMAT("cyclic", CYCLIC),
};

static size_t find_operation(uint16_t operation)
{
	size_t i = 0;

	while (i < COUNT(operations) && operations[i].operation != operation)
		i++;
	return i;
}

const struct wire_format *wire_request_format(uint16_t operation)
{
	size_t i = find_operation(operation);

	return i < COUNT(operations) ? &operations[i].request : NULL;
}

const struct wire_format *wire_answer_format(uint16_t operation,
					     uint16_t status)
{
	size_t i = find_operation(operation);

	if (status != HDMABUF_STATUS_OK || i == COUNT(operations))
		return &error_format;
	return &operations[i].answer;
}

const struct wire_format *wire_channel_format(void)
{
	return &channel_format;
}

const struct wire_format *wire_descriptor_format(void)
{
	return &descriptor_format;
}

const struct wire_format *wire_metadata_format(uint32_t type)
{
	if (type < HDMABUF_TYPE_RAW || type > HDMABUF_TYPE_CYCLIC)
		return NULL;
	return &metadata_formats[type];
}

const struct wire_field *wire_find_nonzero(const struct wire_format *format,
					   const void *structure,
					   size_t *offset)
{
	const uint8_t *octets = structure;

	for (size_t i = 0; i < format->count; i++) {
		const struct wire_field *field = &format->fields[i];
		size_t at = wire_offset(field->place);
		size_t end = at + wire_octets(field->place);

		if (field->kind != WIRE_ZERO)
			continue;
		while (at < end && !octets[at])
			at++;
		if (at == end)
			continue;
		if (offset)
			*offset = at;
		return field;
	}
	return NULL;
}

/* ---- names -------------------------------------------------------------- */

static const char *const status_names[] = {
	"OK",
	"UNKNOWN_OPERATION",
	"NOT_NEGOTIATED",
	"WRONG_STATE",
	"RESERVED",
	"NO_SUCH_BUFFER",
	"NO_SUCH_TIMELINE",
	"WRONG_ROLE",
	"INVALID",
	"DUPLICATE",
	"LIMIT",
	"BAD_REFERENCE",
	"UNSUPPORTED",
	"DENIED",
	"NO_MEMORY",
	"NO_REFERENCES",
	"BUSY",
	"WRONG_EPOCH",
	"CLOSING",
	"LOST",
	"CANCELLED",
	"TIMED_OUT",
	"FAILED",
};

static const char *const where_names[] = { "NOWHERE",	"REQUEST", "DESCRIPTOR",
					   "DIRECTORY", "PAGE",	   "CHANNEL" };

static const char *const rights_names[] = { "none", "READ_ONLY", "READ_WRITE",
					    "LEND" };

static const char *const state_names[] = {
	"NONE",	       "EXPORTING", "LIVE",   "LENT",	 "RETIRING",
	"QUARANTINED", "IMPORTED",  "MAPPED", "ORPHANED"
};

static const char *name_of(const char *const *names, size_t count,
			   uint64_t number)
{
	return number < count ? names[number] : "?";
}

const char *wire_operation_name(uint16_t operation)
{
	size_t i = find_operation(operation);

	return i < COUNT(operations) ? operations[i].name : "UNKNOWN";
}

const char *wire_status_name(uint16_t status)
{
	return name_of(status_names, COUNT(status_names), status);
}

const char *wire_buffer_state_name(uint32_t state)
{
	return name_of(state_names, COUNT(state_names), state);
}

/* ---- printing ----------------------------------------------------------- */

struct printer {
	char *text;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void print(struct printer *printer,
							const char *format, ...)
{
	va_list arguments;
	int got;

	va_start(arguments, format);
	got = vsnprintf(printer->text + printer->used,
			printer->size - printer->used, format, arguments);
	va_end(arguments);
	if (got < 0)
		return;
	printer->used += (size_t)got;
	if (printer->used >= printer->size)
		printer->used = printer->size - 1;
}

static void print_octets(struct printer *printer, const uint8_t *octets,
			 size_t count)
{
	while (count > 1 && !octets[count - 1])
		count--;
	for (size_t i = 0; i < count; i++)
		print(printer, "%02x", octets[i]);
}

static void print_named(struct printer *printer, uint64_t number,
			const char *name)
{
	if (*name == '?')
		print(printer, "%" PRIu64, number);
	else
		print(printer, "%s", name);
}

static void print_field(struct printer *printer, const struct wire_field *field,
			const void *structure)
{
	const uint8_t *octets =
		(const uint8_t *)structure + wire_offset(field->place);
	size_t count = wire_octets(field->place);
	uint64_t number = count <= 8 ? wire_get(structure, field->place) : 0;

	print(printer, "%s%s ", printer->used ? ", " : "", field->name);
	switch (field->kind) {
	case WIRE_NUMBER:
		print(printer, "%" PRIu64, number);
		break;
	case WIRE_HEX:
		print(printer, "0x%" PRIx64, number);
		break;
	case WIRE_OCTETS:
	case WIRE_ZERO:
		print_octets(printer, octets, count);
		break;
	case WIRE_OPERATION:
		print_named(printer, number,
			    wire_operation_name((uint16_t)number));
		break;
	case WIRE_STATUS:
		print_named(printer, number,
			    wire_status_name((uint16_t)number));
		break;
	case WIRE_WHERE:
		print_named(printer, number,
			    name_of(where_names, COUNT(where_names), number));
		break;
	case WIRE_RIGHTS:
		print_named(printer, number,
			    name_of(rights_names, COUNT(rights_names), number));
		break;
	case WIRE_STATE:
		print_named(printer, number,
			    wire_buffer_state_name((uint32_t)number));
		break;
	}
}

static void print_fields(struct printer *printer,
			 const struct wire_format *format,
			 const void *structure)
{
	for (size_t i = 0; i < format->count; i++) {
		const struct wire_field *field = &format->fields[i];
		const uint8_t *octets = structure;

		if (!wire_is_zero(octets + wire_offset(field->place),
				  wire_octets(field->place)))
			print_field(printer, field, structure);
	}
}

const char *wire_print_fields(const struct wire_format *format,
			      const void *structure, char *text, size_t size)
{
	struct printer printer = { text, size, 0 };

	text[0] = '\0';
	print_fields(&printer, format, structure);
	return text;
}

const char *wire_print(const void *message, bool is_answer, char *text,
		       size_t size)
{
	struct printer printer = { text, size, 0 };
	uint16_t operation = (uint16_t)wire_get(message, HEADER_OPERATION);
	uint16_t status = (uint16_t)wire_get(message, HEADER_STATUS);
	const struct wire_format *format =
		is_answer ? wire_answer_format(operation, status) :
			    wire_request_format(operation);

	print(&printer, "%s #%" PRIu64, wire_operation_name(operation),
	      wire_get(message, HEADER_ID));
	if (find_operation(operation) == COUNT(operations))
		print(&printer, " (operation %u)", operation);
	if (is_answer)
		print(&printer, " %s", wire_status_name(status));
	if (is_answer ? *wire_status_name(status) == '?' : status)
		print(&printer, ", status %u", status);
	if (format)
		print_fields(&printer, format, message);
	else
		print_field(&printer,
			    &(struct wire_field){ "octets", ECHO_OCTETS,
						  WIRE_OCTETS },
			    message);
	return text;
}

/* ---- records ------------------------------------------------------------ */

/* The number that a line's value is, in the only form that there is of it. */
static bool read_number(const char *text, size_t length, uint64_t *number)
{
	*number = 0;
	if (!length || length > HDMABUF_VALUE_OCTETS ||
	    (length > 1 && *text == '0'))
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = (unsigned char)text[i] - '0';

		if (digit > 9 ||
		    __builtin_mul_overflow(*number, (uint64_t)10, number) ||
		    __builtin_add_overflow(*number, digit, number))
			return false;
	}
	return true;
}

int wire_record_get(const char *text, const char *key, uint64_t *value)
{
	size_t length = strlen(key);
	int found = 0;

	while (*text) {
		size_t line = strcspn(text, "\n");

		if (line > length && text[length] == '=' &&
		    !strncmp(text, key, length)) {
			if (found || !text[line] ||
			    !read_number(text + length + 1, line - length - 1,
					 value))
				return -1;
			found = 1;
		}
		text += line + (text[line] == '\n');
	}
	return found;
}

/* ---- directories -------------------------------------------------------- */

uint64_t wire_pages(uint64_t data_offset, uint64_t size, uint32_t page_shift)
{
	uint64_t page = (uint64_t)1 << page_shift;
	uint64_t end;

	if (!size || data_offset >= page ||
	    __builtin_add_overflow(data_offset, size, &end))
		return 0;
	return (end >> page_shift) + !!(end & (page - 1));
}

static uint64_t divide_up(uint64_t number, uint64_t by)
{
	return number / by + !!(number % by);
}

uint64_t wire_directory_pages(uint32_t format, uint64_t entries,
			      uint32_t page_shift)
{
	uint64_t page = (uint64_t)1 << page_shift;
	uint64_t level, all;

	if (!entries)
		return 0;
	switch (format) {
	case HDMABUF_DIRECTORY_LIST:
		return divide_up(entries, page / 4 - 1);
	case HDMABUF_DIRECTORY_EXTENTS:
		return divide_up(entries, page / 16 - 1);
	case HDMABUF_DIRECTORY_TABLE:
		level = divide_up(entries, page / 4);
		for (all = level; level > 1; all += level)
			level = divide_up(level, page / 4);
		return all;
	default:
		return 0;
	}
}
