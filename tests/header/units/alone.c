/* SPDX-License-Identifier: MIT */
/* A unit that has nothing but the header. */
#include <hyper_dmabuf.h>
