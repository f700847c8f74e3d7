/* SPDX-License-Identifier: MIT */
/* hdmabuf-xen: see xen_tool.c. */

#include "tools/xen_tool.h"

int main(int argc, char **argv)
{
	return xen_tool_run(argc, argv, stdout, stderr);
}
