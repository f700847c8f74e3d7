/* SPDX-License-Identifier: MIT */
/*
 * The life of a buffer's pages from export to release, in sessions that may be lost at
 * any moment; either end may die, and comes back. The importer's application maps and
 * unmaps as it likes; either end may begin to part with the buffer, so that their
 * messages cross.
 *
 * property in_table: no end does what the table of states does not have
 * property no_reuse_while_mapped: pages are put to another use only when the importer
 *	has no mapping of them, and cannot get one
 * property shared_until_released: a correct importer can map what it knows of
 * property released_unmapped: what is reported as released is not mapped
 * property one_owner: a lent buffer is accessed by one end at a time
 * property freed_at_last: the pages are free again and again
 *
 * fault FREED_AFTER_GRACE breaks no_reuse_while_mapped: pages are freed when the grace
 *	period is over (HDB-EXP-013)
 * fault FREED_AT_LOSS breaks no_reuse_while_mapped: pages are freed when the session is
 *	lost (HDB-EXP-013)
 * fault FREED_BEFORE_RELEASE breaks no_reuse_while_mapped: UNEXPORT is answered, that is
 *	enough
 * fault QUERY_THEN_REVOKE breaks no_reuse_while_mapped: whether it is mapped, and
 *	revoking it, are two steps (HDB-PLAT-005)
 * fault REVOKED_EARLY breaks shared_until_released: the pages go with the descriptor
 *	(HDB-EXP-004)
 * fault MAPPED_AFTER_UNEXPORT breaks released_unmapped: the importer maps what it
 *	was asked to give up (HDB-IMP-021)
 * fault RELEASED_WHILE_MAPPED breaks released_unmapped: the importer says so before it
 *	unmaps (HDB-IMP-022)
 * fault ACCESS_WHILE_LENT breaks one_owner: the exporter accesses what it has lent
 *	(HDB-EXP-009)
 * fault QUARANTINE_FORGOTTEN breaks freed_at_last: nobody looks whether pages in
 *	quarantine can be revoked
 */
bool in_table = true;
bool no_reuse_while_mapped = true;
bool shared_until_released = true;
bool released_unmapped = true;
bool one_owner = true;

#include "common.inc"

#ifdef LIVENESS
#define TROUBLES 1
#else
#define TROUBLES 2		/* deaths and losses */
#endif
#define EXPORTS 2
#define CHOICES 3		/* what applications do without need */

mtype = { EXPORT, HAND_OFF, UNEXPORT, RELEASED };
mtype = { OK, NO, STILL_MAPPED };

/*
 * Requests of each end, and answers, with the id of a buffer. Nothing depends on what
 * the importer is answered.
 */
chan e_requests = [2] of { mtype, byte };
chan e_answers = [2] of { mtype, mtype, byte };
chan i_requests = [2] of { mtype, byte };

/* What the platform knows. */
byte granted;			/* the id for which the pages are shared, or 0 */
bool mapped;
bool limbo;			/* pages whose exporter has died */

byte e_state, e_id;
byte i_state, i_id;
bool e_up, i_up;		/* whether each end has the session */
bool lend;			/* the right of the buffer */
bool i_has;			/* the buffer is lent to the importer */
byte ids;
byte troubles = TROUBLES, choices = CHOICES;
bool e_kill, i_kill;

#define E(name) (e_state == HDMABUF_BUFFER_##name)
#define I(name) (i_state == HDMABUF_BUFFER_##name)
#define FREE (!granted && !limbo && E(NONE))

inline e_step(event) { buffer_step(HDMABUF_EXPORTER, e_state, event) }
inline i_step(event) { buffer_step(HDMABUF_IMPORTER, i_state, event) }

inline free_pages()
{
	MUST(no_reuse_while_mapped, !mapped);
	granted = 0
}

/* ---- Exporter ---- */

/* HDB-PLAT-005: succeeds, or finds it mapped, in one step. */
inline e_revoke(done)
{
	d_step {
		if
		:: mapped ->
			MUST(released_unmapped, done != HDMABUF_BUFFER_RELEASED);
			e_step(HDMABUF_BUFFER_STILL_MAPPED)
		:: else -> free_pages(); e_step(done)
		fi
	}
}

inline e_take_answer()
{
	if
	:: e_answers ? EXPORT, OK, _ ->
		e_step(HDMABUF_BUFFER_ACCEPTED);
		if
		:: FAULT(REVOKED_EARLY) -> granted = 0
		:: else
		fi
	:: e_answers ? EXPORT, NO, _ -> e_revoke(HDMABUF_BUFFER_REFUSED)
	:: e_answers ? UNEXPORT, STILL_MAPPED, _ ->
		if
		:: FAULT(FREED_BEFORE_RELEASE) && E(RETIRING) ->
			d_step { free_pages(); e_step(HDMABUF_BUFFER_RELEASED) }
		:: else
		fi
	:: e_answers ? UNEXPORT, OK, _ ->
		if
		:: E(RETIRING) -> e_revoke(HDMABUF_BUFFER_RELEASED)
		:: else
		fi
	/* RELEASED has crossed it, and is in the other ring. */
	:: e_answers ? UNEXPORT, NO, _
	:: e_answers ? HAND_OFF, _, _
	fi
}

/* What crossed UNEXPORT, or came after all was over, is refused. */
inline e_take_request(what, id)
{
	i_requests ? what, id;
	if
	:: id != e_id || E(NONE)
	:: else ->
		if
		:: what == HAND_OFF && (E(LIVE) || E(LENT)) ->
			e_step(HDMABUF_BUFFER_HAND_BACK)
		:: what == RELEASED && !E(QUARANTINED) ->
			e_revoke(HDMABUF_BUFFER_RELEASED)
		:: else
		fi
	fi;
	id = 0
}

inline e_lose()
{
	d_step {
		e_up = false;
		if
		:: E(NONE) || E(QUARANTINED)
		:: FAULT(FREED_AT_LOSS) && !E(NONE) && !E(QUARANTINED) ->
			free_pages();
			e_state = HDMABUF_BUFFER_NONE
		:: else -> e_step(HDMABUF_BUFFER_SESSION_OVER)
		fi
	}
}

inline e_expire()
{
	d_step {
		e_step(HDMABUF_BUFFER_EXPIRED);
		if
		:: FAULT(FREED_AFTER_GRACE) ->
			free_pages();
			e_state = HDMABUF_BUFFER_NONE
		:: else
		fi
	}
}

inline e_leave_quarantine()
{
	if
	:: FAULT(QUERY_THEN_REVOKE) ->
		!mapped;
		d_step { free_pages(); e_step(HDMABUF_BUFFER_FREED) }
	:: else ->
		d_step { !mapped -> free_pages(); e_step(HDMABUF_BUFFER_FREED) }
	fi
}

active proctype exporter()
{
	mtype what;
	byte id;

end_life:
	{
end:		do
		:: e_up && !i_up -> e_lose()
		:: d_step { e_up && troubles -> troubles-- }; e_lose()
		/* HDB-BOTH-017: answers before requests. */
		:: e_up && nempty(e_answers) -> e_take_answer()
		:: e_up && empty(e_answers) && nempty(i_requests) ->
			e_take_request(what, id)
		:: e_up && FREE && ids < EXPORTS && nfull(e_requests) ->
			if
			:: lend = true
			:: lend = false
			fi;
			d_step {
				ids++;
				e_id = ids;
				granted = e_id;
				e_step(HDMABUF_BUFFER_EXPORT);
				e_requests ! EXPORT, e_id
			}
		:: d_step { e_up && E(LIVE) && choices && nfull(e_requests) ->
			choices--;
			if
			:: lend -> e_step(HDMABUF_BUFFER_LEND)
			:: else -> e_step(HDMABUF_BUFFER_HAND_OFF)
			fi;
			e_requests ! HAND_OFF, e_id
		   }
		:: d_step { e_up && (E(LIVE) || E(LENT)) && nfull(e_requests) ->
			e_step(HDMABUF_BUFFER_UNEXPORT);
			e_requests ! UNEXPORT, e_id
		   }
		:: d_step { lend && choices && (E(LIVE) ||
			    (E(LENT) && FAULT(ACCESS_WHILE_LENT))) ->
			choices--;
			MUST(one_owner, !i_has)
		   }
		:: e_up && E(RETIRING) -> e_expire()
		:: E(QUARANTINED) && !FAULT(QUARANTINE_FORGOTTEN) ->
			e_leave_quarantine()
		od
	} unless { e_kill };
	/* What was shared is the kernel's; another life knows nothing of it. */
	d_step {
		e_kill = false;
		e_up = false;
		limbo = (granted != 0);
		e_state = HDMABUF_BUFFER_NONE;
		e_id = 0;
		id = 0
	};
	goto end_life
}

/* ---- Importer ---- */

inline i_answer_unexport(id)
{
	if
	:: I(MAPPED) ->
		i_step(HDMABUF_BUFFER_UNEXPORT);
		e_answers ! UNEXPORT, STILL_MAPPED, id
	:: else ->
		i_step(HDMABUF_BUFFER_UNEXPORT);
		e_answers ! UNEXPORT, OK, id
	fi;
	i_has = false
}

inline i_take_request(what, id)
{
	e_requests ? what, id;
	if
	:: d_step { what == EXPORT && choices -> choices-- };
		e_answers ! EXPORT, NO, id
	:: what == EXPORT ->
		i_id = id;
		i_step(HDMABUF_BUFFER_EXPORT);
		e_answers ! EXPORT, OK, id
	:: what != EXPORT && (id != i_id || !(I(IMPORTED) || I(MAPPED))) ->
		e_answers ! what, NO, id
	:: what == HAND_OFF && id == i_id && (I(IMPORTED) || I(MAPPED)) ->
		if
		:: lend -> i_step(HDMABUF_BUFFER_LEND); i_has = true
		:: else -> i_step(HDMABUF_BUFFER_HAND_OFF)
		fi;
		e_answers ! HAND_OFF, OK, id
	:: what == UNEXPORT && id == i_id && (I(IMPORTED) || I(MAPPED)) ->
		i_answer_unexport(id)
	fi;
	id = 0
}

/* It fails for a buffer that its exporter has lost, or wants back. */
inline i_map()
{
	d_step {
		MUST(shared_until_released, granted == i_id || !e_up || e_id != i_id ||
		     !(E(EXPORTING) || E(LIVE) || E(LENT)));
		if
		:: granted == i_id ->
			mapped = true;
			i_step(HDMABUF_BUFFER_MAP)
		:: else
		fi
	}
}

inline i_tell_released()
{
	if
	:: i_up ->
		d_step {
			MUST(released_unmapped, !mapped);
			i_requests ! RELEASED, i_id
		}
	:: else
	fi
}

inline i_lose()
{
	d_step {
		i_up = false;
		i_has = false;
		if
		:: I(NONE) || I(ORPHANED)
		:: else -> i_step(HDMABUF_BUFFER_SESSION_OVER)
		fi
	}
}

active proctype importer()
{
	mtype what;
	byte id;

end_life:
	{
end:		do
		:: i_up && !e_up -> i_lose()
		:: i_up && nempty(e_requests) && nfull(e_answers) &&
		   nfull(i_requests) ->
			i_take_request(what, id)
		:: d_step { I(IMPORTED) && choices -> choices-- }; i_map()
		:: d_step { FAULT(MAPPED_AFTER_UNEXPORT) && I(NONE) &&
			    i_id && granted == i_id ->
			mapped = true
		   }
		:: I(MAPPED) && !i_has ->
			d_step { mapped = false; i_step(HDMABUF_BUFFER_UNMAP) }
		:: I(ORPHANED) ->
			d_step { mapped = false; i_step(HDMABUF_BUFFER_UNMAP) }
		:: I(RETIRING) && nfull(i_requests) ->
			if
			:: FAULT(RELEASED_WHILE_MAPPED) -> i_tell_released()
			:: else
			fi;
			d_step { mapped = false; i_step(HDMABUF_BUFFER_UNMAP) };
			i_tell_released()
		:: d_step { i_up && I(IMPORTED) && choices && nfull(i_requests) ->
			choices--;
			i_step(HDMABUF_BUFFER_RELEASED);
			i_has = false;
			MUST(released_unmapped, !mapped);
			i_requests ! RELEASED, i_id
		   }
		:: d_step { i_up && i_has && nfull(i_requests) ->
			i_step(HDMABUF_BUFFER_HAND_BACK);
			i_has = false;
			i_requests ! HAND_OFF, i_id
		   }
		od
	} unless { i_kill };
	/* Its kernel unmaps all that it had. */
	d_step {
		i_kill = false;
		i_up = false;
		i_has = false;
		mapped = false;
		i_state = HDMABUF_BUFFER_NONE;
		i_id = 0;
		id = 0
	};
	goto end_life
}

/* ---- What nobody asks the ends about ---- */

/* A session is established when both ends have done with the last: see session.pml. */
active proctype platform()
{
end:	do
	:: atomic {
		!e_up && !i_up && !e_kill && !i_kill ->
		do
		:: e_requests ? _, _
		:: e_answers ? _, _, _
		:: i_requests ? _, _
		:: empty(e_requests) && empty(e_answers) &&
		   empty(i_requests) -> break
		od;
		i_id = 0;
		e_up = true;
		i_up = true
	   }
	:: d_step { limbo && !mapped -> limbo = false; free_pages() }
	:: d_step { troubles -> troubles--; e_kill = true }; !e_kill
	:: d_step { troubles -> troubles--; i_kill = true }; !i_kill
	od
}

ltl freed_at_last { []<> FREE }
