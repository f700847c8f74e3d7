/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "conformance/report/escape.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

static void assert_escaped(enum escape escape, const char *text,
			   const char *expected)
{
	char *escaped = escape_text(escape, text);

	assert_non_null(escaped);
	assert_string_equal(escaped, expected);
	free(escaped);
}

static void assert_escaped_everywhere(const char *text, const char *expected)
{
	assert_escaped(ESCAPE_LINE, text, expected);
	assert_escaped(ESCAPE_XML, text, expected);
}

static void text_stays_text(void **state)
{
	const char *text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80, (1.5%)";

	(void)state;
	for (int escape = ESCAPE_LINE; escape <= ESCAPE_UTF8; escape++) {
		assert_escaped(escape, text, text);
		assert_escaped(escape, "", "");
		assert_escaped(escape, NULL, "");
	}
}

static void control_characters_are_told(void **state)
{
	(void)state;
	assert_escaped_everywhere("\x01\x1b[31m\x7f\r",
				  "\\x01\\x1b[31m\\x7f\\x0d");
	/* C1, by which terminals are steered, too. */
	assert_escaped_everywhere("\xc2\x9b"
				  "31m",
				  "\\x9b31m");
	assert_escaped(ESCAPE_UTF8, "\x1b\xc2\x9b", "\x1b\xc2\x9b");
}

static void broken_utf8_is_told(void **state)
{
	(void)state;
	assert_escaped_everywhere("\xff\xfe", "\\xff\\xfe");
	assert_escaped_everywhere("a\x80z", "a\\x80z");
	/* Cut off, too long, a surrogate, beyond the last character. */
	assert_escaped_everywhere("\xe2\x82", "\\xe2\\x82");
	assert_escaped_everywhere("\xc0\xaf", "\\xc0\\xaf");
	assert_escaped_everywhere("\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_escaped_everywhere("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	assert_escaped(ESCAPE_UTF8, "\xff", "\\xff");
}

static void characters_that_deceive_are_told(void **state)
{
	(void)state;
	assert_escaped_everywhere("\xe2\x80\xae"
				  "cba",
				  "\\u202ecba");
	assert_escaped_everywhere("\xe2\x80\xa8\xe2\x80\x8b", "\\u2028\\u200b");
	/* XML has no place for this one. */
	assert_escaped_everywhere("\xef\xbf\xbf", "\\uffff");
}

static void marks_of_a_format_are_escaped(void **state)
{
	const char *text = "<a b=\"c\" d='e'>&amp;\\ # \n\t";

	(void)state;
	assert_escaped(ESCAPE_LINE, text, "<a b=\"c\" d='e'>&amp;\\ # \\n\\t");
	assert_escaped(ESCAPE_TAP, text,
		       "<a b=\"c\" d='e'>&amp;\\\\ \\# \\\\n\\\\t");
	assert_escaped(ESCAPE_QUOTED, text,
		       "<a b=\\\"c\\\" d='e'>&amp;\\\\ # \\n\\t");
	assert_escaped(ESCAPE_XML, text,
		       "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;\\ # "
		       "\n\t");
	assert_escaped(ESCAPE_UTF8, text, text);
}

static void told_backslashes_are_escaped_as_well(void **state)
{
	(void)state;
	assert_escaped(ESCAPE_QUOTED, "\x1b\xff", "\\\\x1b\\\\xff");
	assert_escaped(ESCAPE_TAP, "\x1b\xff", "\\\\x1b\\\\xff");
}

static void formats_are_not_escaped(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	escape_print(file, ESCAPE_XML, "<p id=\"%s\">%s %zu %u%%</p>\n", "<",
		     ">", (size_t)1 << 40, 7u);
	fclose(file);
	assert_string_equal(text, "<p id=\"&lt;\">&gt; 1099511627776 7%</p>\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(control_characters_are_told),
		cmocka_unit_test(broken_utf8_is_told),
		cmocka_unit_test(characters_that_deceive_are_told),
		cmocka_unit_test(marks_of_a_format_are_escaped),
		cmocka_unit_test(told_backslashes_are_escaped_as_well),
		cmocka_unit_test(formats_are_not_escaped),
	};

	return hdmabuf_test_run("escape", tests,
				sizeof(tests) / sizeof(tests[0]));
}
