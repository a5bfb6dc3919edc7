/* The system's log. */
#ifndef CLINUX_LOG_H
#define CLINUX_LOG_H

/* syslog(3) is variadic. Reports no error. */
void clinux_syslog(int priority, const char *message);

#endif
