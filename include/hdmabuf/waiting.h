/* SPDX-License-Identifier: MIT */
/*
 * waiting.h - look for a while before sleeping, as long as that pays
 *
 * To be woken takes as long as many messages.  An end that looks at its ring for a
 * while before it sleeps spares that, if the other end is at work on another
 * processor and soon has something; else it wastes the time for which it looks.
 * *struct hdmabuf_waiting* finds out which, by how often looking was of use::
 *
 *     for (;;) {
 *             if (take(&ring, &message)) {
 *                     hdmabuf_waiting_found(&waiting);
 *                     handle(&message);
 *             } else if (hdmabuf_waiting_look_again(&waiting)) {
 *                     cpu_relax();
 *             } else if (!hdmabuf_ring_arm_requests(&ring)) {
 *                     sleep_until_notified();
 *             }
 *     }
 *
 * The ring is armed before each sleep and no sooner: whoever looks wants no
 * notifications.  Nothing here knows of rings, of processors, or of time: what is
 * looked at, and how, is the caller's.
 */
#ifndef HDMABUF_WAITING_H
#define HDMABUF_WAITING_H

#include <hdmabuf/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * define HDMABUF_WAITING_LOOKS - looks before a sleep that suit most machines
 *
 * Looking for as long as being woken takes costs at most twice what the better of
 * the two would have cost.  That is 20 to 100 microseconds with a pause between.
 */
#define HDMABUF_WAITING_LOOKS 2048

/**
 * struct hdmabuf_waiting - how often to look before sleeping
 * @most: never more often
 * @budget: how often before the next sleep
 * @looks: how often since something was found, or since the last sleep
 * @sleeps: since looking was last tried
 * @interval: sleeps after which it is tried again
 *
 * The members are its own; callers use the functions below.
 */
struct hdmabuf_waiting {
	uint32_t most;
	uint32_t budget;
	uint32_t looks;
	uint32_t sleeps;
	uint32_t interval;
};

/**
 * hdmabuf_waiting_init() - begin to wait for something
 * @waiting: is filled
 * @most: looks before a sleep, at most; 0 on one processor, where looking keeps the
 *	other end from its work, and where a sleep saves power above all
 *
 * A try comes first.
 */
void hdmabuf_waiting_init(struct hdmabuf_waiting *waiting, uint32_t most);

/**
 * hdmabuf_waiting_look_again() - whether to look once more before sleeping
 * @waiting: initialised
 *
 * To be called when there was nothing.  Whatever the other end does, it returns true
 * at most @most times in a row; and hardly ever, once looking has been of no use.
 *
 * Return: false to sleep, once nothing is there after the notification was asked for
 */
bool hdmabuf_waiting_look_again(struct hdmabuf_waiting *waiting);

/**
 * hdmabuf_waiting_found() - something was there
 * @waiting: initialised
 *
 * To be called once for all that was there, however it was come by.
 */
void hdmabuf_waiting_found(struct hdmabuf_waiting *waiting);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_WAITING_H */
