/* SPDX-License-Identifier: MIT */
/*
 * The two parts of the programs, against other ends that do what our own do not:
 * wait, take back, refuse, let go, announce little.
 */

#include "reference-common/options.h"
#include "reference-common/peer.h"
#include "reference-common/source.h"
#include "reference-common/test_files.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PLATFORM "local:socket"
#define SECONDS	 8

/* Room for what happens. */
#define EVENTS_MAX 256

/* ---- A program in a process of its own ---------------------------------- */

static pid_t start(enum hdmabuf_role role, char **argv)
{
	pid_t pid = fork();
	struct options options;
	int argc = 0, status;

	assert_int_not_equal(pid, -1);
	if (pid)
		return pid;
	while (argv[argc])
		argc++;
	if (!freopen("stdout", "w", stdout) || !freopen("stderr", "w", stderr))
		_exit(EX_OSERR);
	setvbuf(stderr, NULL, _IONBF, 0);
	if (options_parse(&options, role, argc, argv, &status))
		status = peer_run(&options);
	fflush(NULL);
	_exit(status);
}

#define start_backend(...) \
	start(HDMABUF_BACKEND, (char *[]){ "backend", "--platform", PLATFORM, \
					   __VA_ARGS__, NULL })
#define start_frontend(...) \
	start(HDMABUF_FRONTEND, (char *[]){ "frontend", "--platform", \
					    PLATFORM, __VA_ARGS__, NULL })

static int wait_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void stop(pid_t pid)
{
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(wait_status(pid), 0);
}

/* How often. */
static unsigned int has_said(const char *words)
{
	struct test_file file = read_file("stderr");
	const char *text = (char *)file.octets;
	unsigned int count = 0;

	file.octets[file.count] = '\0';
	while ((text = strstr(text, words))) {
		count++;
		text++;
	}
	free(file.octets);
	return count;
}

/* ---- The other end ------------------------------------------------------ */

/* What the other end has been told, and how it is to behave. */
struct other {
	struct hdmabuf_endpoint *endpoint;
	struct hdmabuf_session *session;
	bool over;
	uint32_t reason;

	unsigned int refused; /* requests but EXPORT */
	unsigned int answers; /* to EXPORT */
	struct hdmabuf_fault fault;
	unsigned int released;
	unsigned int reached;
	uint16_t reached_status[EVENTS_MAX];

	struct hdmabuf_buffer *imports[EVENTS_MAX];
	unsigned int imported;
	uint64_t stamps[EVENTS_MAX];
	unsigned int turns;
	uint16_t answer;      /* to imports */
	uint16_t turn_status; /* to end turns with */
	bool lets_go;	      /* of a buffer after each turn */
	unsigned int most;    /* turns to take */
};

static void on_connected(void *user, struct hdmabuf_session *session)
{
	((struct other *)user)->session = session;
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct other *other = user;

	(void)status;
	(void)why;
	other->reason = hdmabuf_session_close_reason(session);
	other->session = NULL;
	other->over = true;
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct other *other = user;

	(void)buffer;
	other->answers++;
	if (fault)
		other->fault = *fault;
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct other *other = user;

	(void)session;
	(void)operation;
	(void)buffer;
	if (!fault)
		return;
	other->refused++;
	other->fault = *fault;
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	(void)buffer;
	((struct other *)user)->released++;
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct other *other = user;

	(void)timeline;
	(void)point;
	other->reached_status[other->reached++ % EVENTS_MAX] = status;
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct other *other = user;
	void *data;

	if (!other->answer) {
		assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
		other->imports[other->imported++ % EVENTS_MAX] = buffer;
	}
	return other->answer;
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct other *other = user;

	(void)session;
	for (size_t i = 0; i < count && other->turns < other->most; i++) {
		other->stamps[other->turns++ % EVENTS_MAX] = turns[i].stamp;
		hdmabuf_turn_done(&turns[i], other->turn_status);
		if (other->lets_go)
			hdmabuf_buffer_release(turns[i].buffer);
	}
}

static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	(void)user;
	(void)grace_ms;
	hdmabuf_buffer_release(buffer);
}

static void open_other(struct other *other, enum hdmabuf_role role,
		       const struct hdmabuf_config *config)
{
	static const struct hdmabuf_callbacks callbacks = {
		.connected = on_connected,
		.disconnected = on_disconnected,
		.exported = on_exported,
		.answered = on_answered,
		.released = on_released,
		.reached = on_reached,
		.imported = on_imported,
		.handed_off = on_handed_off,
		.retire = on_retire,
	};
	char error[256];

	other->over = false;
	if (hdmabuf_endpoint_open(PLATFORM, role, config, &callbacks, other,
				  &other->endpoint, error, sizeof(error)))
		fail_msg("%s", error);
}

static void turn(struct other *other)
{
	struct pollfd fd = { hdmabuf_endpoint_fd(other->endpoint), POLLIN, 0 };

	hdmabuf_endpoint_flush(other->endpoint);
	poll(&fd, 1, 10);
	assert_int_equal(hdmabuf_endpoint_dispatch(other->endpoint), 0);
}

#define turn_until(other, condition) \
	do { \
		uint64_t limit = progress_now() + SECONDS * 1000000000ull; \
		while (!(condition)) { \
			if (progress_now() > limit) \
				fail_msg("waited in vain: %s", #condition); \
			turn(other); \
		} \
	} while (0)

static void turn_for(struct other *other, unsigned int ms)
{
	uint64_t end = progress_now() + ms * 1000000ull;

	while (progress_now() < end)
		turn(other);
}

/* ---- Importer: the backend, and a frontend that exports ------------------ */

#define WIDTH  64u
#define HEIGHT 32u
#define OCTETS (WIDTH * HEIGHT)

/* Grey pictures, which Y4M holds as they are. */
static struct hdmabuf_info grey_info(void)
{
	return (struct hdmabuf_info){
		.size = OCTETS,
		.rights = HDMABUF_RIGHTS_READ_ONLY,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.type = HDMABUF_TYPE_PICTURE,
		.picture = {
			.width = WIDTH,
			.height = HEIGHT,
			.fourcc = PICTURE_R8,
			.planes = 1,
			.plane_count = 1,
			.plane = { { .stride = WIDTH } },
		},
	};
}

/* The frontend, with two timelines and two buffers that are full of 1 and 2. */
struct exporting {
	struct other other;
	pid_t backend;
	struct hdmabuf_timeline_handle *wait;
	struct hdmabuf_timeline_handle *signal;
	struct hdmabuf_memory memory[2];
	struct hdmabuf_buffer *buffer[2];
};

static void export_grey(struct exporting *end, unsigned int i,
			const struct hdmabuf_info *info)
{
	struct hdmabuf_session *session = end->other.session;
	unsigned int answers = end->other.answers;
	size_t octets = (size_t)info->size + info->data_offset;

	assert_int_equal(hdmabuf_session_alloc(session, octets, info->rights,
					       &end->memory[i]),
			 0);
	memset((char *)end->memory[i].address + info->data_offset, (int)i + 1,
	       (size_t)info->size);
	assert_int_equal(hdmabuf_export(session, &end->memory[i], info, NULL,
					&end->buffer[i]),
			 0);
	turn_until(&end->other, end->other.answers > answers);
}

static void begin_exporting(struct exporting *end)
{
	struct hdmabuf_info info = grey_info();

	*end = (struct exporting){ .backend = start_backend("--sink",
							    "y4m:out.y4m") };
	open_other(&end->other, HDMABUF_FRONTEND, NULL);
	turn_until(&end->other, end->other.session);
	hdmabuf_timeline_create(end->other.session, HDMABUF_SIGNALLER_CREATOR,
				0, &end->wait);
	hdmabuf_timeline_create(end->other.session, HDMABUF_SIGNALLER_PEER, 0,
				&end->signal);
	export_grey(end, 0, &info);
	export_grey(end, 1, &info);
	assert_int_equal(end->other.fault.status, HDMABUF_STATUS_OK);
}

static void end_exporting(struct exporting *end)
{
	if (end->other.session)
		hdmabuf_session_close(end->other.session, HDMABUF_REASON_DONE);
	turn_until(&end->other, end->other.over);
	hdmabuf_endpoint_close(end->other.endpoint);
	for (int i = 0; i < 2; i++)
		hdmabuf_memory_free(&end->memory[i]);
	stop(end->backend);
}

static void hand_off(struct exporting *end, unsigned int i, uint64_t wait_point,
		     uint64_t signal_point)
{
	struct hdmabuf_turn pass = {
		.buffer = end->buffer[i],
		.wait = wait_point ? end->wait : NULL,
		.wait_point = wait_point,
		.signal = end->signal,
		.signal_point = signal_point,
		.stamp = signal_point,
	};
	int error;

	do {
		error = hdmabuf_hand_off(&pass, false);
		if (error == -EAGAIN)
			turn(&end->other);
	} while (error == -EAGAIN);
	assert_int_equal(error, 0);
}

/* What the sink has got: the values of the frames, one after the other. */
static void assert_frames(const char *values)
{
	struct test_file file = read_file("out.y4m");
	size_t header =
		(size_t)((uint8_t *)memchr(file.octets, '\n', file.count) + 1 -
			 file.octets);
	size_t frame = strlen("FRAME\n") + OCTETS;

	assert_int_equal(file.count, header + strlen(values) * frame);
	for (size_t i = 0; values[i]; i++)
		assert_int_equal(file.octets[header + (i + 1) * frame - 1],
				 values[i] - '0');
	free(file.octets);
}

static void frames_wait_for_their_points(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hand_off(&end, 0, 1, 1);
	hand_off(&end, 1, 0, 2);
	hand_off(&end, 0, 2, 3);
	turn_for(&end.other, 50);
	assert_int_equal(hdmabuf_timeline_point(end.signal), 0);
	hdmabuf_timeline_signal(end.wait, 1);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 2);
	turn_for(&end.other, 50);
	assert_int_equal(hdmabuf_timeline_point(end.signal), 2);
	assert_frames("12");
	hdmabuf_timeline_signal(end.wait, 2);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 3);
	assert_frames("121");
	end_exporting(&end);
}

/* A hand-off may ask for no signal, or for no wait. */
static void points_may_be_missing(void **state)
{
	struct exporting end;
	struct hdmabuf_turn pass = { 0 };

	(void)state;
	begin_exporting(&end);
	pass.buffer = end.buffer[1];
	assert_int_equal(hdmabuf_hand_off(&pass, false), 0);
	hand_off(&end, 0, 0, 7);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 7);
	assert_frames("21");
	end_exporting(&end);
}

static void wait_that_ends_drops_the_frame(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hand_off(&end, 0, 1, 1);
	hand_off(&end, 1, 0, 2);
	turn_for(&end.other, 20);
	assert_int_equal(hdmabuf_timeline_destroy(end.wait), 0);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 2);
	assert_frames("2");
	assert_false(has_said("lost"));
	end_exporting(&end);
}

static void wait_that_fails_drops_the_frame(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hand_off(&end, 0, 1, 1);
	hand_off(&end, 1, 0, 2);
	assert_int_equal(
		hdmabuf_timeline_fail(end.wait, HDMABUF_STATUS_TIMED_OUT), 0);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 2);
	assert_frames("2");
	end_exporting(&end);
}

static void signal_that_is_gone_is_not_signalled(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hand_off(&end, 0, 1, 1);
	turn_for(&end.other, 20);
	assert_int_equal(hdmabuf_timeline_destroy(end.signal), 0);
	turn_for(&end.other, 20);
	hdmabuf_timeline_signal(end.wait, 1);
	turn_for(&end.other, 50);
	assert_frames("1");
	end_exporting(&end);
}

static void waiting_turns_are_bounded(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	for (uint64_t point = 1; point <= 65; point++)
		hand_off(&end, 0, 1, point);
	turn_until(&end.other, end.other.over);
	assert_int_equal(end.other.reason, HDMABUF_REASON_FAULT);
	end_exporting(&end);
}

static void retired_buffer_is_let_go(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hand_off(&end, 0, 1, 1);
	hand_off(&end, 1, 1, 2);
	turn_for(&end.other, 20);
	assert_int_equal(hdmabuf_unexport(end.buffer[0], 1000), 0);
	turn_until(&end.other, end.other.released == 1);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 1);
	hdmabuf_timeline_signal(end.wait, 1);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 2);
	assert_frames("2");
	end_exporting(&end);
}

static void session_may_end_while_turns_wait(void **state)
{
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hand_off(&end, 0, 1, 1);
	hand_off(&end, 1, 1, 2);
	turn_for(&end.other, 20);
	end_exporting(&end);
}

static void useless_update_is_refused(void **state)
{
	struct hdmabuf_info info = grey_info();
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	info.picture.plane[0].stride = WIDTH + 1;
	assert_int_equal(hdmabuf_update(end.buffer[0], &info), 0);
	turn_until(&end.other, end.other.refused);
	assert_int_equal(end.other.fault.status, HDMABUF_STATUS_INVALID);
	assert_true(has_said("is refused: plane 0 needs"));
	hand_off(&end, 0, 0, 1);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 1);
	assert_frames("1");
	end_exporting(&end);
}

static void data_may_begin_anywhere(void **state)
{
	struct hdmabuf_info info = grey_info();
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	hdmabuf_unexport(end.buffer[0], 1000);
	turn_until(&end.other, end.other.released == 1);
	hdmabuf_memory_free(&end.memory[0]);
	info.data_offset = 4001;
	export_grey(&end, 0, &info);
	hand_off(&end, 0, 0, 1);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 1);
	assert_frames("1");
	end_exporting(&end);
}

/* Each is legal in the protocol, and nothing for this importer. */
static void make_odd(struct hdmabuf_info *info, unsigned int kind)
{
	static const char text[] = "a\x01z";
	struct hdmabuf_picture_info *picture = &info->picture;

	switch (kind) {
	case 0: /* the last row is not in the buffer */
		info->size = OCTETS - 1;
		break;
	case 1:
		picture->plane[0].stride = WIDTH - 1;
		break;
	case 2:
		picture->plane[0].offset = 1;
		break;
	case 3:
		picture->fourcc = PICTURE_YUV420;
		break;
	case 4:
		picture->fourcc = PICTURE_FOURCC('N', 'V', '1', '2');
		break;
	case 5:
		picture->modifier = 1;
		break;
	case 6: /* this format has one */
		picture->planes = 2;
		break;
	case 7:
		picture->width = 0xffffffff;
		break;
	case 8:
		picture->height = 0xffffffff;
		break;
	case 9:
		info->private_data = text;
		info->private_octets = sizeof(text) - 1;
		break;
	case 10:
		info->type = HDMABUF_TYPE_RAW;
		*picture = (struct hdmabuf_picture_info){ 0 };
		break;
	}
}

static void odd_pictures_are_refused(void **state)
{
	static const uint16_t statuses[] = {
		HDMABUF_STATUS_INVALID,	    HDMABUF_STATUS_INVALID,
		HDMABUF_STATUS_INVALID,	    HDMABUF_STATUS_INVALID,
		HDMABUF_STATUS_UNSUPPORTED, HDMABUF_STATUS_UNSUPPORTED,
		HDMABUF_STATUS_INVALID,	    HDMABUF_STATUS_INVALID,
		HDMABUF_STATUS_INVALID,	    HDMABUF_STATUS_UNSUPPORTED,
		HDMABUF_STATUS_UNSUPPORTED,
	};
	struct exporting end;

	(void)state;
	begin_exporting(&end);
	for (unsigned int kind = 0;
	     kind < sizeof(statuses) / sizeof(statuses[0]); kind++) {
		struct hdmabuf_info info = grey_info();
		struct hdmabuf_memory kept = end.memory[0];
		struct hdmabuf_buffer *buffer = end.buffer[0];
		unsigned int released = end.other.released;

		make_odd(&info, kind);
		export_grey(&end, 0, &info);
		assert_int_equal(end.other.fault.status, statuses[kind]);
		turn_until(&end.other, end.other.released > released);
		hdmabuf_memory_free(&end.memory[0]);
		end.memory[0] = kept;
		end.buffer[0] = buffer;
	}
	assert_true(has_said("is refused: plane 0 needs"));
	/* Those in order are still there. */
	hand_off(&end, 0, 0, 1);
	turn_until(&end.other, hdmabuf_timeline_point(end.signal) == 1);
	assert_frames("1");
	end_exporting(&end);
}

/* ---- Exporter: the frontend, and a backend that imports ------------------ */

#define FRAMES 40

static void begin_importing(struct other *other,
			    const struct hdmabuf_config *config)
{
	if (!other->most)
		other->most = EVENTS_MAX;
	open_other(other, HDMABUF_BACKEND, config);
	turn_until(other, other->session);
}

/* Until the frontend has closed the session, or gone. */
static void end_importing(struct other *other)
{
	turn_until(other, other->over);
	hdmabuf_endpoint_close(other->endpoint);
}

static void assert_stamps(const struct other *other, uint64_t first,
			  unsigned int count)
{
	assert_int_equal(other->turns, count);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(other->stamps[i], first + i);
}

static struct hdmabuf_config usual_config(void)
{
	struct hdmabuf_config config;

	hdmabuf_config_init(&config);
	return config;
}

static pid_t start_pattern(void)
{
	return start_frontend("--source", "pattern:64x32", "--frames", "40");
}

static void buffers_are_exported_once(void **state)
{
	struct other other = { 0 };
	pid_t pid = start_pattern();

	(void)state;
	begin_importing(&other, NULL);
	end_importing(&other);
	assert_int_equal(wait_status(pid), EX_OK);
	assert_int_equal(other.imported, 3);
	assert_stamps(&other, 0, FRAMES);
}

/* A frame may be under way to a buffer that is let go of: that one is told. */
static void importer_may_let_go_of_buffers(void **state)
{
	struct other other = { .lets_go = true };
	pid_t pid = start_pattern();

	(void)state;
	begin_importing(&other, NULL);
	end_importing(&other);
	assert_int_equal(wait_status(pid), EX_OK);
	assert_true(other.imported > 3);
	assert_int_equal(other.turns + has_said("HAND_OFF is void"), FRAMES);
	for (unsigned int i = 1; i < other.turns; i++)
		assert_true(other.stamps[i] > other.stamps[i - 1]);
	assert_int_equal(other.stamps[other.turns - 1], FRAMES - 1);
}

static void fewer_buffers_do(void **state)
{
	struct hdmabuf_config config = usual_config();
	struct other other = { 0 };
	pid_t pid = start_pattern();

	(void)state;
	config.limits.max_buffers = 1;
	begin_importing(&other, &config);
	end_importing(&other);
	assert_int_equal(wait_status(pid), EX_OK);
	assert_int_equal(other.imported, 1);
	assert_stamps(&other, 0, FRAMES);
	assert_true(has_said("buffers that take turns: 1 of 3"));
}

static void one_request_at_a_time_does(void **state)
{
	struct hdmabuf_config config = usual_config();
	struct other other = { 0 };
	pid_t pid = start_pattern();

	(void)state;
	config.limits.max_in_flight = 1;
	begin_importing(&other, &config);
	end_importing(&other);
	assert_int_equal(wait_status(pid), EX_OK);
	assert_int_equal(other.imported, 3);
	assert_stamps(&other, 0, FRAMES);
}

static void ends_for(struct other *other, const struct hdmabuf_config *config,
		     int status, const char *words)
{
	pid_t pid = start_pattern();

	begin_importing(other, config);
	end_importing(other);
	assert_int_equal(wait_status(pid), status);
	if (!has_said(words))
		fail_msg("it does not say \"%s\"", words);
}

static void importer_without_timelines_is_none(void **state)
{
	struct hdmabuf_config config = usual_config();
	struct other other = { 0 };

	(void)state;
	config.limits.max_timelines = 0;
	ends_for(&other, &config, EX_UNAVAILABLE, "takes no timeline");
}

static void importer_of_nothing_is_none(void **state)
{
	struct hdmabuf_config config = usual_config();
	struct other other = { 0 };

	(void)state;
	config.limits.max_buffers = 0;
	ends_for(&other, &config, EX_UNAVAILABLE, "the other end takes less");
}

static void refusal_ends_it(void **state)
{
	struct other other = { .answer = HDMABUF_STATUS_DENIED };

	(void)state;
	ends_for(&other, NULL, EX_UNAVAILABLE, "refuses the picture: ");
}

static void failed_frame_ends_it(void **state)
{
	struct other other = { .turn_status = HDMABUF_STATUS_UNSUPPORTED };

	(void)state;
	ends_for(&other, NULL, EX_IOERR, "could not take frame 0");
}

/* A Y4M whose second frame has words of its own. */
static void write_words(void)
{
	static const char head[] = "YUV4MPEG2 W2 H1 F1:1 Cmono\n";
	static const char frames[] = "FRAME\nabFRAME Xyz\ncdFRAME\nef";
	char file[sizeof(head) + sizeof(frames)];
	int count = snprintf(file, sizeof(file), "%s%s", head, frames);

	write_file("in.y4m", file, (size_t)count);
}

static void importer_without_features_does(void **state)
{
	struct hdmabuf_config config = usual_config();
	struct other other = { 0 };
	pid_t pid;

	(void)state;
	write_words();
	config.features = 0;
	pid = start_frontend("--source", "y4m:in.y4m", "--buffers", "1");
	begin_importing(&other, &config);
	end_importing(&other);
	assert_int_equal(wait_status(pid), EX_OK);
	assert_stamps(&other, 0, 3);
	assert_true(has_said("takes no updates"));
}

static void metadata_follow_the_frames(void **state)
{
	struct other other = { .most = 2 };
	const struct hdmabuf_info *info;
	pid_t pid;

	(void)state;
	write_words();
	pid = start_frontend("--source", "y4m:in.y4m", "--buffers", "1");
	begin_importing(&other, NULL);
	turn_until(&other, other.turns == 2);
	info = hdmabuf_buffer_info(other.imports[0]);
	assert_int_equal(info->private_octets, 26 + 1 + 9);
	assert_memory_equal((const char *)info->private_data + 27, "FRAME Xyz",
			    9);
	hdmabuf_endpoint_close(other.endpoint);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(wait_status(pid), EX_OK);
}

/* Three times an importer that leaves, in good order or not. */
static void next_importer_gets_the_next_frames(void **state)
{
	pid_t pid = start_pattern();
	uint64_t next = 0;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct other other = { .most = 7 };

		begin_importing(&other, NULL);
		turn_until(&other, other.turns == 7);
		assert_stamps(&other, next, 7);
		next += 7;
		if (i == 1)
			hdmabuf_session_close(other.session,
					      HDMABUF_REASON_SHUTDOWN);
		else
			other.over = true;
		end_importing(&other);
	}
	for (unsigned int last = 1; last; last--) {
		struct other other = { 0 };

		begin_importing(&other, NULL);
		end_importing(&other);
		assert_stamps(&other, next, FRAMES - (unsigned int)next);
	}
	assert_int_equal(wait_status(pid), EX_OK);
	assert_true(has_said("was lost after 7 frames"));
	assert_true(has_said("has left after 14 frames"));
}

/* An importer that exports is told that this end takes nothing. */
static void exporter_imports_nothing(void **state)
{
	struct exporting end = { .other = { .most = EVENTS_MAX } };
	struct hdmabuf_info info = grey_info();
	pid_t pid = start_frontend("--source", "pattern:64x32", "--frames", "0",
				   "--rate", "100");

	(void)state;
	begin_importing(&end.other, NULL);
	assert_int_equal(hdmabuf_session_limits(end.other.session)->max_buffers,
			 0);
	assert_int_equal(hdmabuf_session_alloc(end.other.session, OCTETS,
					       info.rights, &end.memory[0]),
			 0);
	assert_int_equal(hdmabuf_export(end.other.session, &end.memory[0],
					&info, NULL, &end.buffer[0]),
			 -EDQUOT);
	assert_int_equal(kill(pid, SIGTERM), 0);
	end_importing(&end.other);
	hdmabuf_memory_free(&end.memory[0]);
	assert_int_equal(wait_status(pid), EX_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(frames_wait_for_their_points),
		folder_test(points_may_be_missing),
		folder_test(wait_that_ends_drops_the_frame),
		folder_test(wait_that_fails_drops_the_frame),
		folder_test(signal_that_is_gone_is_not_signalled),
		folder_test(waiting_turns_are_bounded),
		folder_test(retired_buffer_is_let_go),
		folder_test(session_may_end_while_turns_wait),
		folder_test(useless_update_is_refused),
		folder_test(data_may_begin_anywhere),
		folder_test(odd_pictures_are_refused),
		folder_test(buffers_are_exported_once),
		folder_test(importer_may_let_go_of_buffers),
		folder_test(fewer_buffers_do),
		folder_test(one_request_at_a_time_does),
		folder_test(importer_without_timelines_is_none),
		folder_test(importer_of_nothing_is_none),
		folder_test(refusal_ends_it),
		folder_test(failed_frame_ends_it),
		folder_test(importer_without_features_does),
		folder_test(metadata_follow_the_frames),
		folder_test(next_importer_gets_the_next_frames),
		folder_test(exporter_imports_nothing),
	};

	return hdmabuf_test_run("peer", tests,
				sizeof(tests) / sizeof(tests[0]));
}
