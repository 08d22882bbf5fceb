// Takes protection away from keyturnd (LD_PRELOAD), to show what the protection is good for.
// KEEP_DUMPABLE: the process may be dumped and traced. DUMP_SECRETS: secrets are in its core dump.
#define _GNU_SOURCE

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef KEEP_DUMPABLE
int prctl(int option, ...) {
    va_list arguments;
    va_start(arguments, option);
    const unsigned long a = va_arg(arguments, unsigned long);
    const unsigned long b = va_arg(arguments, unsigned long);
    const unsigned long c = va_arg(arguments, unsigned long);
    const unsigned long d = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (option == PR_SET_DUMPABLE) return 0;
    return (int)syscall(SYS_prctl, option, a, b, c, d);
}
#endif

#ifdef DUMP_SECRETS
int madvise(void* memory, size_t size, int advice) {
    if (advice == MADV_DONTDUMP) return 0;
    return (int)syscall(SYS_madvise, memory, size, advice);
}
#endif
