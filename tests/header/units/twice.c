/* SPDX-License-Identifier: MIT */
/* The header may come in by many ways. */
#include <hyper_dmabuf.h>
#include "hyper_dmabuf.h"

struct hdmabuf_channel twice;
