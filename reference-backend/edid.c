/* SPDX-License-Identifier: MIT */

#include "reference-backend/edid.h"

#include <string.h>

#define RATE 60u

/* Of a detailed timing: as little blanking as reduced blanking has. */
#define H_BLANK 160u
#define V_BLANK 40u

/* "HDB", five bits a letter. */
#define MANUFACTURER ((('H' - '@') << 10) | (('D' - '@') << 5) | ('B' - '@'))

/* Where the four descriptors of 18 octets are. */
#define DESCRIPTOR(n) (54 + (n)*18)

static void put_timing(uint8_t *at, uint32_t width, uint32_t height,
		       uint32_t clock)
{
	at[0] = (uint8_t)clock;
	at[1] = (uint8_t)(clock >> 8);
	at[2] = (uint8_t)width;
	at[3] = H_BLANK;
	at[4] = (uint8_t)(width >> 8 << 4);
	at[5] = (uint8_t)height;
	at[6] = V_BLANK;
	at[7] = (uint8_t)(height >> 8 << 4);
	/* Front porches and widths of the synchronisation pulses. */
	at[8] = 48;
	at[9] = 32;
	at[10] = 3 << 4 | 6;
	/* Digital, separate synchronisation, both positive. */
	at[17] = 0x1e;
}

static void put_name(uint8_t *at)
{
	static const char name[13] = "hdmabuf\n     ";

	at[3] = 0xfc;
	memcpy(at + 5, name, sizeof(name));
}

/* A descriptor of no use. */
static void put_dummy(uint8_t *at)
{
	at[3] = 0x10;
}

static void put_checksum(uint8_t edid[EDID_OCTETS])
{
	uint8_t sum = 0;
	int i;

	for (i = 0; i < EDID_OCTETS - 1; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[EDID_OCTETS - 1] = (uint8_t)-sum;
}

bool edid_make(uint8_t edid[EDID_OCTETS], uint32_t width, uint32_t height)
{
	/* In units of 10 kHz. */
	uint64_t clock =
		(uint64_t)(width + H_BLANK) * (height + V_BLANK) * RATE / 10000;

	if (!width || !height || width > 4095 || height > 4095 ||
	    clock > UINT16_MAX)
		return false;
	memset(edid, 0, EDID_OCTETS);
	memset(edid + 1, 0xff, 6);
	edid[8] = (uint8_t)(MANUFACTURER >> 8);
	edid[9] = (uint8_t)MANUFACTURER;
	edid[17] = 28; /* of 2018 */
	edid[18] = 1;  /* EDID 1.4 */
	edid[19] = 4;
	edid[20] = 0xa0; /* digital, 8 bits a colour */
	edid[23] = 120;	 /* gamma 2.2 */
	edid[24] = 0x06; /* sRGB, the first timing is the native one */
	/* Primaries and white of sRGB. */
	memcpy(edid + 25, "\xee\x91\xa3\x54\x4c\x99\x26\x0f\x50\x54", 10);
	/* No established and no standard timings. */
	memset(edid + 38, 0x01, 16);
	put_timing(edid + DESCRIPTOR(0), width, height, (uint32_t)clock);
	put_name(edid + DESCRIPTOR(1));
	put_dummy(edid + DESCRIPTOR(2));
	put_dummy(edid + DESCRIPTOR(3));
	put_checksum(edid);
	return true;
}
