/* SPDX-License-Identifier: MIT */
/*
 * hdmabuf-backend: the end that maps the channel, of any number of frontends.
 * It shows their pictures, or shares its own. What it does with them is in
 * importer.c and exporter.c of reference-common, what holds it together in
 * peer.c.
 */

#include "reference-common/options.h"
#include "reference-common/peer.h"

int main(int argc, char **argv)
{
	struct options options;
	int status;

	if (!options_parse(&options, HDMABUF_BACKEND, argc, argv, &status))
		return status;
	return peer_run(&options);
}
