#include "clinux/log.h"

#include <syslog.h>

void clinux_syslog(int priority, const char *message)
{
    syslog(priority, "%s", message);
}
