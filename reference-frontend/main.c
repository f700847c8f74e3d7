/* SPDX-License-Identifier: MIT */
/*
 * hdmabuf-frontend: the end that makes the channel. It shares pictures with a
 * backend, or shows those of one. What it does with them is in exporter.c and
 * importer.c of reference-common, what holds it together in peer.c.
 */

#include "reference-common/options.h"
#include "reference-common/peer.h"

int main(int argc, char **argv)
{
	struct options options;
	int status;

	if (!options_parse(&options, HDMABUF_FRONTEND, argc, argv, &status))
		return status;
	return peer_run(&options);
}
