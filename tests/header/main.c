/* SPDX-License-Identifier: MIT */
/*
 * main.c - the header as this machine and compiler see it
 */
#include "check.h"

int main(void)
{
	return check_layout() + check_accessors() + check_machines() != 0;
}
