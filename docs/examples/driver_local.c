/* SPDX-License-Identifier: MIT */
/*
 * driver local:PATH [FRAMES]: what surrounds driver.c, which is a hypervisor's
 * and an application's part, on the local platform
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <hdmabuf/fault.h>
#include <hdmabuf/platform.h>

#include "driver.h"

#define WIDTH	 160
#define HEIGHT	 120
#define XRGB8888 0x34325258 /* "XR24" of drm_fourcc.h */

/* A part of the driver's memory, and the run of references that leads to it. */
struct part {
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	uint32_t rights;
};

struct machine {
	struct hdmabuf_platform platform;
	struct hdmabuf_link *link;
	struct part part[PARTS];
	struct driver driver;
	uint64_t frames;
	bool more;
	bool over;
	uint16_t status;
};

/* ---- What the driver asks for ------------------------------------------- */

static bool share(void *user, void *memory, uint32_t pages, bool writable,
		  uint64_t *references)
{
	struct machine *machine = user;
	struct part *part = machine->part;
	size_t count;

	(void)writable; /* the memory was made for its rights */
	while (part->memory.address != memory)
		part++;
	if (machine->platform.ops->share(machine->link, &part->memory, 0, pages,
					 part->rights, &part->run, 1, &count))
		return false;
	for (uint32_t i = 0; i < pages; i++)
		references[i] = part->run.reference + i;
	return true;
}

static bool revoke(void *user, const uint64_t *references, uint32_t pages)
{
	struct machine *machine = user;
	const struct hdmabuf_run run = { references[0], pages };

	return !machine->platform.ops->revoke(machine->link, &run, 1);
}

static void publish(void *user, const char *record, size_t octets)
{
	struct machine *machine = user;

	machine->platform.ops->publish(machine->link, record, octets);
}

static void notify(void *user)
{
	struct machine *machine = user;

	machine->platform.ops->notify(machine->link);
}

static uint64_t random_word(void *user)
{
	uint64_t word;

	(void)user;
	if (getrandom(&word, sizeof(word), 0) != sizeof(word))
		err(1, "getrandom");
	return word;
}

static bool draw(void *user, uint8_t *pixel, uint64_t number)
{
	struct machine *machine = user;

	if (number > machine->frames)
		return false;
	for (int i = 0; i < WIDTH * HEIGHT; i++, pixel += 4) {
		pixel[0] = (uint8_t)(i % WIDTH);
		pixel[1] = (uint8_t)(i / WIDTH);
		pixel[2] = (uint8_t)number;
	}
	return true;
}

static void over(void *user, uint16_t status)
{
	struct machine *machine = user;

	machine->over = true;
	machine->status = status;
}

static const struct driver_hooks hooks = {
	.share = share,
	.revoke = revoke,
	.publish = publish,
	.notify = notify,
	.random = random_word,
	.draw = draw,
	.over = over,
};

/* ---- What the platform reports ------------------------------------------ */

static void *up(void *user, struct hdmabuf_link *link)
{
	static const uint32_t pages[] = { CHANNEL_PAGES, DESCRIPTION_PAGES,
					  (WIDTH * HEIGHT * 4 + DRIVER_PAGE -
					   1) / DRIVER_PAGE };
	struct machine *machine = user;
	struct driver *driver = &machine->driver;

	machine->link = link;
	for (int i = 0; i < PARTS; i++) {
		struct part *part = &machine->part[i];

		part->rights = i == CHANNEL ? HDMABUF_RIGHTS_READ_WRITE :
					      HDMABUF_RIGHTS_READ_ONLY;
		if (machine->platform.ops->alloc(link, pages[i] * DRIVER_PAGE,
						 part->rights, &part->memory))
			errx(1, "no memory that can be shared");
	}
	driver->channel = machine->part[CHANNEL].memory.address;
	driver->description = machine->part[DESCRIPTION].memory.address;
	driver->frame = machine->part[FRAME].memory.address;
	if (!driver_start(driver))
		errx(1, "the frame cannot be shared");
	return machine;
}

static void record(void *owner)
{
	struct machine *machine = owner;
	char text[1024];
	size_t octets = machine->platform.ops->record(machine->link, text,
						      sizeof(text));

	driver_record(&machine->driver, text, octets);
}

static void notified(void *owner)
{
	struct machine *machine = owner;

	machine->more = true;
}

static void down(void *owner, const char *why)
{
	struct machine *machine = owner;

	(void)why;
	driver_record(&machine->driver, "", 0);
}

static const struct hdmabuf_platform_events events = {
	.up = up,
	.record = record,
	.notified = notified,
	.down = down,
};

/* ---- One session -------------------------------------------------------- */

static void work(struct machine *machine)
{
	struct pollfd fd = { .events = POLLIN };
	int timeout = machine->more ? 0 : -1;

	fd.fd = machine->platform.ops->fd(machine->platform.endpoint);
	if (machine->over)
		timeout = 20; /* to try again to revoke */
	poll(&fd, 1, timeout);
	if (machine->platform.ops->dispatch(machine->platform.endpoint, &events,
					    machine))
		errx(1, "the platform has failed");
	if (machine->more)
		machine->more = driver_notified(&machine->driver);
}

int main(int argc, char **argv)
{
	struct machine machine = {
		.driver = {
			.hooks = &hooks,
			.info = { .size = WIDTH * HEIGHT * 4,
				  .rights = HDMABUF_RIGHTS_READ_ONLY,
				  .attributes = HDMABUF_ATTRIBUTE_CACHED,
				  .type = HDMABUF_TYPE_PICTURE,
				  .picture = { .width = WIDTH,
					       .height = HEIGHT,
					       .fourcc = XRGB8888,
					       .planes = 1,
					       .plane_count = 1,
					       .plane = { { 0, WIDTH * 4 } } } },
		},
	};
	const char *frames = argc > 2 ? argv[2] : "60";
	char error[200];

	machine.driver.user = &machine;
	machine.frames = strtoull(frames, NULL, 10);
	if (argc < 2 || !machine.frames)
		errx(1, "usage: driver local:PATH [FRAMES]");
	if (hdmabuf_platform_open(argv[1], HDMABUF_FRONTEND, &machine.platform,
				  error, sizeof(error)))
		errx(1, "%s", error);
	while (!machine.over || !driver_revoked(&machine.driver))
		work(&machine);
	printf("%llu frames: %s\n", (unsigned long long)machine.driver.number,
	       hdmabuf_status_text(machine.status));
	for (int i = 0; i < PARTS; i++)
		hdmabuf_memory_free(&machine.part[i].memory);
	machine.platform.ops->disconnect(machine.link);
	machine.platform.ops->free(machine.link);
	machine.platform.ops->close(machine.platform.endpoint);
	return machine.status != HDMABUF_STATUS_OK;
}
