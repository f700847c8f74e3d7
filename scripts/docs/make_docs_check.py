#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does make-docs notice what it is there to notice? One small header, spoilt in many ways."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import kerneldoc

MAKE_DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "make-docs")
SAMPLE = """/* SPDX-License-Identifier: MIT */
#ifndef SAMPLE_H
#define SAMPLE_H
#include <stdint.h>

/**
 * DOC: Greeting
 *
 * See *Parting* and ``50% & @home``::
 *
 *     a & b @ %c
 *
 * [HDB-FE-001] The frontend MUST greet
 * with ``HDMABUF_GREETING``, as [HDB-BE-001] has it.
 *
 * [HDB-BE-001] The backend SHOULD answer.
 *
 * .. hdmabuf-sequence:: greeting
 *     frontend -> backend: HELLO
 *     backend: thinks
 *     ...
 *     backend -> frontend: OK
 *
 * Parting
 * -------
 *
 * .. hdmabuf-states:: SESSION FRONTEND
 */

/** define HDMABUF_GREETING - the well-known word */
#define HDMABUF_GREETING 0x2au

/**
 * define HDMABUF_SESSION_TABLE - the states
 * @X: macro of four
 */
#define HDMABUF_SESSION_TABLE(X) \\
	X(FRONTEND, DOWN, START, READY) \\
	X(BOTH, READY, STOP, DOWN)

/**
 * enum hdmabuf_mood - how one is
 * @HDMABUF_GOOD: well
 * @HDMABUF_BAD: not so
 */
enum hdmabuf_mood {
	HDMABUF_GOOD = 1,
	HDMABUF_BAD = 2
};

/**
 * struct hdmabuf_part - a part
 * @length: of it
 *
 * Octets::
 *
 *            0       1       2       3       4       5       6       7
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 *     0  | length                        | zero                          |
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_part {
	uint32_t length;
	uint8_t zero[4];
};

/**
 * struct hdmabuf_whole - the whole
 * @small: two octets
 * @name: sixteen
 * @part: see &struct hdmabuf_part
 * @rest: any number
 *
 * Octets::
 *
 *            0       1       2       3       4       5       6       7
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 *     0  | small         | zero                                          |
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 *     8  | name                                                          |
 *    16  |                                                               |
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 *    24  | part                                                          |
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 *    32  | rest                                                          |
 *        | ...                                                           |
 *        +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_whole {
	uint16_t small;
	uint8_t zero[6];
	uint8_t name[16];
	struct hdmabuf_part part;
	uint64_t rest[100];
};

/**
 * hdmabuf_greet() - say it
 * @times: how often
 *
 * Return: what was answered, see hdmabuf_greet() and struct hdmabuf_whole
 */
static inline int hdmabuf_greet(int times)
{
	return times;
}

#endif
"""

# what is spoilt: (text, its replacement, what make-docs has to say)
SPOILT = {
    "macro without documentation": ("/** define HDMABUF_GREETING - the well-known word */\n", "",
                                    r"macro HDMABUF_GREETING is not documented"),
    "function-like macro without documentation": ("#endif\n", "#define HDMABUF_TWICE(x) (2 * (x))\n#endif\n",
                                                  r"macro HDMABUF_TWICE is not documented"),
    "struct without documentation": ("#endif\n", "struct hdmabuf_new {\n\tint a;\n};\n#endif\n",
                                     r"struct hdmabuf_new is not documented"),
    "function without documentation": ("#endif\n", "int hdmabuf_new(void);\n#endif\n",
                                       r"function hdmabuf_new is not documented"),
    "enum without documentation": ("enum hdmabuf_mood -", "enum hdmabuf_other -",
                                   r"enum hdmabuf_mood is not documented"),
    "member without documentation": (" * @small: two octets\n", "", r"member small is not documented"),
    "enumerator without documentation": (" * @HDMABUF_BAD: not so\n", "", r"member HDMABUF_BAD is not documented"),
    "documentation without member": (" * @small: two", " * @big: no\n * @small: two", r"there is no member big"),
    "parameter without documentation": (" * @times: how often\n", "", r"times.* not described"),
    "field in another place": ("| small         | zero                                          |",
                               "| zero          | small                                         |",
                               r":78: .*draws 'small' at 2 with 6 octets; it is at 0 with 2"),
    "field of another size": ("| length                        | zero                          |",
                              "| length        | zero                                          |",
                              r"draws 'length' at 0 with 2 octets; it is at 0 with 4"),
    "field of another name": ("| length                        |", "| lenght                        |",
                              r"draws 'lenght', which is not a member"),
    "reserved octets that are used": ("uint8_t zero[6];", "uint8_t used[6];",
                                      r"draws as zero what is not reserved: octet 2"),
    "field drawn too short": (" *    16  |                                                               |\n", "",
                              r"labelled 24, but octet 16 is due"),
    "structure without a diagram": (" *            0       1       2       3       4       5       6       7\n", "",
                                    r"struct hdmabuf_whole has no octet diagram"),
    "header that does not compile": ("uint16_t small;", "uint17_t small;", r"as the compiler says: .*uint17_t"),
    "structure grown": ("\tstruct hdmabuf_part part;\n", "\tstruct hdmabuf_part part;\n\tuint64_t more;\n",
                        r"draws 'rest' at 32 with 808 octets; it is at 40 with 800"),
    "clause stated twice": ("[HDB-BE-001] The backend", "[HDB-FE-001] The backend", r"HDB-FE-001 is stated already"),
    "clause without duty": ("SHOULD answer", "answers", r"HDB-BE-001 has to say MUST.*says: none"),
    "clause with two duties": ("SHOULD answer", "MUST answer, and MUST NOT wait", r"says: MUST, MUST NOT"),
    "duty without clause": ("[HDB-BE-001] The backend", "The backend", r"a duty outside a clause"),
    "mention of no clause": ("as [HDB-BE-001]", "as [HDB-BE-002]", r"HDB-BE-002 is mentioned, but no clause"),
    "sequence that says nothing": ("backend: thinks", "backend thinks",
                                   r":20: sequence 'greeting': 'backend thinks' is neither"),
    "machine that is not there": ("SESSION FRONTEND", "BUFFER FRONTEND", r"no HDMABUF_BUFFER_TABLE"),
    "stale page": ("how one is", "how one was", r"docs/protocol/hyper_dmabuf.rst is stale"),
}


def make(root, *options):
    result = subprocess.run([sys.executable, MAKE_DOCS, "--root", root, *options], check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    return result.returncode, result.stdout


class Docs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hdmabuf-docs-test-")
        self.root = self.folder.name
        os.mkdir(os.path.join(self.root, "protocol"))
        self.write(SAMPLE)
        self.assertEqual(make(self.root, "--rst"), (0, ""))

    def tearDown(self):
        self.folder.cleanup()

    def write(self, text):
        with open(os.path.join(self.root, "protocol", "hyper_dmabuf.h"), "w", encoding="utf-8") as file:
            file.write(text)

    def page(self, name="protocol/hyper_dmabuf"):
        with open(os.path.join(self.root, "docs", name + ".rst"), encoding="utf-8") as file:
            return file.read()

    def test_unspoilt(self):
        self.assertEqual(make(self.root, "--check"), (0, ""))

    def test_spoilt(self):
        for what, (old, new, expected) in SPOILT.items():
            with self.subTest(what):
                self.assertIn(old, SAMPLE)
                self.write(new.join(SAMPLE.rsplit(old, 1)))
                code, output = make(self.root, "--check")
                self.assertEqual(code, 1, output)
                self.assertRegex(output, expected)

    def test_missing_and_stray_pages(self):
        pages = os.path.join(self.root, "docs", "protocol")
        os.rename(os.path.join(pages, "clauses.rst"), os.path.join(pages, "stray.rst"))
        code, output = make(self.root, "--check")
        self.assertEqual(code, 1)
        self.assertIn("docs/protocol/clauses.rst is missing", output)
        self.assertIn("docs/protocol/stray.rst belongs to no header", output)

    def test_no_kernel_doc(self):
        environment = dict(os.environ, KERNEL_DOC="/nonexistent/kernel-doc")
        result = subprocess.run([sys.executable, MAKE_DOCS, "--root", self.root, "--check"], env=environment,
                                stderr=subprocess.PIPE, encoding="utf-8", check=False)
        self.assertEqual(result.returncode, 69)
        self.assertRegex(result.stderr, r"\Amake-docs: .*apt-get install linux-kbuild.*\n\Z")

    def test_markup(self):
        page = self.page()
        for expected in (
                r"\nGreeting\n========\n",
                r"\.\. _HDB-FE-001:\n\n\.\. container:: clause\n\n"
                r"   \*\*\[HDB-FE-001\]\*\* The frontend \*\*MUST\*\* greet\n",
                r"with :c:macro:`HDMABUF_GREETING`, as :ref:`HDB-BE-001 <HDB-BE-001>` has it",
                r"See :ref:`Parting <hyper_dmabuf-parting>` and ``50% & @home``::\n\n    a & b @ %c\n",
                r"\.\. c:macro:: HDMABUF_GREETING\n\n   ``0x2a``: the well-known word\n",
                r"\.\. c:enumerator:: HDMABUF_BAD = 2\n",
                r"\.\. c:function:: int hdmabuf_greet\(int times\)\n",
                r":return: what was answered, see :c:func:`hdmabuf_greet` and "
                r":c:struct:`struct hdmabuf_whole <hdmabuf_whole>`",
                r"see :c:struct:`struct hdmabuf_part <hdmabuf_part>`"):
            self.assertRegex(page, expected)
        self.assertEqual(len(re.findall(r"^\.\. graphviz::$", page, re.M)), 2)
        self.assertRegex(self.page("protocol/clauses"),
                         r":ref:`HDB-FE-001 <HDB-FE-001>`\n     - The frontend \*\*MUST\*\* greet")

    def test_for_the_kernel(self):
        folder = os.path.join(self.root, "kernel")
        self.assertEqual(make(self.root, "--kernel", folder), (0, ""))
        with open(os.path.join(folder, "protocol/hyper_dmabuf.rst"), encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("graphviz::", text)
        self.assertEqual(text.count(".. kernel-render:: DOT\n"), 2)


if __name__ == "__main__":
    if kerneldoc.find() is None:
        print("kernel-doc is missing")
        sys.exit(77)
    unittest.main()
