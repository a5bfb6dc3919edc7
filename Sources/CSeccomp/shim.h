#include <errno.h>
#include <seccomp.h>
