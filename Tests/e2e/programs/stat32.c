/*
 * stat(2) and getdents(2) of an i386 program from before large files, without any library:
 * fails with the error number if an inode number or a size does not fit. The first argument
 * is a file, the second a directory. Built as sysinfo32 is.
 */
static int call(int number, int a, int b, int c)
{
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory");
    return result;
}

static char buffer[4096];

static void check(int result)
{
    if (result < 0) call(1, -result, 0, 0);
}

__attribute__((used)) static void start(int *stack)
{
    int file = stack[2], directory = stack[3];
    if (stack[0] != 3) call(1, 255, 0, 0);
    check(call(106, file, (int)buffer, 0));
    int opened = call(5, directory, 0, 0);
    check(opened);
    int got;
    while ((got = call(141, opened, (int)buffer, sizeof buffer)) > 0) continue;
    check(got);
    call(1, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall start\n");
