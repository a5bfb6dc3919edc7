/*
 * The Linux calls that Swift cannot make itself. Each header, and an entry where the reason is
 * another, says why. What the Glibc module shows (with _GNU_SOURCE) is called from Swift.
 *
 * Every function returns a value >= 0 on success or -errno, so that no thread-local errno has
 * to cross into Swift; where it is otherwise, it says so.
 */
#ifndef CLINUX_H
#define CLINUX_H

#include "clinux/mount.h"
#include "clinux/file.h"
#include "clinux/hold.h"
#include "clinux/process.h"
#include "clinux/capability.h"
#include "clinux/memory.h"
#include "clinux/allocator.h"
#include "clinux/mapping.h"
#include "clinux/socket.h"
#include "clinux/wait.h"
#include "clinux/seccomp.h"
#include "clinux/log.h"
#include "clinux/landlock.h"
#include "clinux/waiting.h"
#include "clinux/guard.h"

#endif
