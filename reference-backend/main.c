/* SPDX-License-Identifier: MIT */
/*
 * hdmabuf-backend: the end that maps the channel, of any number of frontends.
 * It shows their pictures, or shares its own. What it does with them is in
 * importer.c and exporter.c of reference-common, what holds it together in
 * peer.c.
 */

#include "reference-common/options.h"
#include "reference-common/peer.h"

#ifdef HDMABUF_HAVE_XEN
#include "reference-backend/xen_bus.h"
#endif

#include <stdio.h>
#include <sysexits.h>

/* What Linux's own drivers in guests of Xen speak: xen_displif.c, xen_sndif.c. */
static int run_for_xen(const struct options *options)
{
#ifdef HDMABUF_HAVE_XEN
	return bus_run(options, options->protocol == PROTOCOL_DISPLIF ?
					&displif_class :
					&sndif_class);
#else
	fprintf(stderr,
		"%s: --protocol: built without Xen's libraries; install libxen-dev and build it again\n",
		options->program);
	return EX_UNAVAILABLE;
#endif
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	if (!options_parse(&options, HDMABUF_BACKEND, argc, argv, &status))
		return status;
	if (options.protocol != PROTOCOL_HYPER_DMABUF)
		return run_for_xen(&options);
	return peer_run(&options);
}
