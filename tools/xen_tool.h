/* SPDX-License-Identifier: MIT */
/* What hdmabuf-xen does, without its main(). */
#ifndef TOOLS_XEN_TOOL_H
#define TOOLS_XEN_TOOL_H

#include <stdio.h>

/**
 * xen_tool_run() - attach, detach or list devices
 * @argc: as of main()
 * @argv: as of main()
 * @out: where it says what it did
 * @errors: where it says, in one line, what it could not do
 *
 * Return: the exit status
 */
int xen_tool_run(int argc, char **argv, FILE *out, FILE *errors);

#endif
