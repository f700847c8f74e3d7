/* SPDX-License-Identifier: MIT */
/*
 * accessors.c - that numbers lie in memory as the specification says
 */
#include <hyper_dmabuf.h>
#include <bindings/local.h>

#include <stdio.h>
#include <string.h>

#include "check.h"

static int expect(const char *what, const void *is, const void *must,
		  size_t octets)
{
	const unsigned char *octet = (const unsigned char *)is;
	size_t i;

	if (memcmp(is, must, octets) == 0)
		return 0;
	printf("%s: wrong octets:", what);
	for (i = 0; i < octets; i++)
		printf(" %02x", (unsigned int)octet[i]);
	printf("\n");
	return 1;
}

static int expect_number(const char *what, uint64_t is, uint64_t must)
{
	if (is == must)
		return 0;
	printf("%s: %08lx%08lx, must be %08lx%08lx\n", what,
	       (unsigned long)(is >> 32), (unsigned long)(is & 0xffffffffu),
	       (unsigned long)(must >> 32),
	       (unsigned long)(must & 0xffffffffu));
	return 1;
}

/* A 64-bit number, for C89 has no constants of that size. */
static uint64_t wide(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

static int check_put(void)
{
	const hdmabuf_le16 le16 = hdmabuf_put_le16(0xf1e2);
	const hdmabuf_le32 le32 = hdmabuf_put_le32(0xf1e2d3c4u);
	const hdmabuf_le64 le64 =
		hdmabuf_put_le64(wide(0xf1e2d3c4u, 0xb5a69788u));

	return expect("put_le16", &le16, "\xe2\xf1", 2) +
	       expect("put_le32", &le32, "\xc4\xd3\xe2\xf1", 4) +
	       expect("put_le64", &le64, "\x88\x97\xa6\xb5\xc4\xd3\xe2\xf1", 8);
}

static int check_get(void)
{
	hdmabuf_le16 le16;
	hdmabuf_le32 le32;
	hdmabuf_le64 le64;

	memcpy(&le16, "\xe2\xf1", 2);
	memcpy(&le32, "\xc4\xd3\xe2\xf1", 4);
	memcpy(&le64, "\x88\x97\xa6\xb5\xc4\xd3\xe2\xf1", 8);
	return expect_number("get_le16", hdmabuf_get_le16(le16), 0xf1e2) +
	       expect_number("get_le32", hdmabuf_get_le32(le32), 0xf1e2d3c4u) +
	       expect_number("get_le64", hdmabuf_get_le64(le64),
			     wide(0xf1e2d3c4u, 0xb5a69788u));
}

/* A whole message, octet for octet. */
static int check_message(void)
{
	static const unsigned char must[HDMABUF_SLOT_OCTETS] = {
		0x04, 0x03, 0x02, 0x01, 0x14, 0x00, 0x00, 0x00, /* header */
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, /* id */
		0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
		0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, /* wait_point */
		0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, /* signal_ */
		0xff, 0xff, 0xff, 0xff, 0x05, 0x00, 0x00, 0x00, /* timelines */
		0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* flags */
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* stamp */
	};
	union hdmabuf_message message;
	struct hdmabuf_hand_off *body = &message.hand_off;
	unsigned char i;

	memset(&message, 0, sizeof(message));
	body->header.id = hdmabuf_put_le32(0x01020304);
	body->header.operation = hdmabuf_put_le16(HDMABUF_OP_HAND_OFF);
	for (i = 0; i < sizeof(body->id.octets); i++)
		body->id.octets[i] = (uint8_t)(0xa0 + i);
	body->wait_point = hdmabuf_put_le64(wide(1, 2));
	body->signal_point = hdmabuf_put_le64(wide(1, 3));
	body->wait_timeline = hdmabuf_put_le32(HDMABUF_NO_TIMELINE);
	body->signal_timeline = hdmabuf_put_le32(5);
	body->flags = hdmabuf_put_le32(HDMABUF_HAND_OFF_MORE);
	body->stamp = hdmabuf_put_le64(wide(0x01020304, 0x05060708));
	return expect("HAND_OFF", message.octets, must, sizeof(must));
}

static int check_magics(void)
{
	const hdmabuf_le32 channel = hdmabuf_put_le32(HDMABUF_CHANNEL_MAGIC);
	const hdmabuf_le32 descriptor =
		hdmabuf_put_le32(HDMABUF_DESCRIPTOR_MAGIC);
	const hdmabuf_le32 local = hdmabuf_put_le32(HDMABUF_LOCAL_MAGIC);

	return expect("CHANNEL_MAGIC", &channel, "HDBC", 4) +
	       expect("DESCRIPTOR_MAGIC", &descriptor, "HDBD", 4) +
	       expect("LOCAL_MAGIC", &local, "HDBL", 4);
}

int check_accessors(void)
{
	return check_put() + check_get() + check_message() + check_magics();
}
