/* The low-level API as of libfuse 3.12: the oldest in which
   fuse_session_receive_buf and FUSE_CAP_EXPIRE_ONLY both exist. */
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
