/*
 * sysinfo(2) by an i386 program, without any library: prints the total in kB, mem_unit, and
 * whether the rest makes sense. Built with -m32 -nostdlib, for which no 32-bit libc is needed.
 */
struct sysinfo {
    int uptime;
    unsigned loads[3];
    unsigned totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    unsigned short procs, pad;
    unsigned totalhigh, freehigh, mem_unit;
    char rest[8];
    unsigned guard;
};

static int call(int number, int a, int b, int c)
{
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory");
    return result;
}

static void print(unsigned value, char end)
{
    char text[12];
    int at = sizeof text;
    text[--at] = end;
    do {
        text[--at] = '0' + value % 10;
        value /= 10;
    } while (value);
    call(4, 1, (int)(text + at), sizeof text - at);
}

void _start(void)
{
    struct sysinfo s;
    s.guard = 0x5a5a5a5a;
    int failed = call(116, (int)&s, 0, 0);
    print(s.mem_unit < 1024 ? s.totalram / 1024 : s.totalram * (s.mem_unit / 1024), ' ');
    print(s.mem_unit, ' ');
    print(s.procs > 0 && s.freeram <= s.totalram && s.guard == 0x5a5a5a5a, '\n');
    call(1, failed != 0, 0, 0);
}
