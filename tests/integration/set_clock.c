/* For LD_PRELOAD: while the file that PDR_CLOCK_BACK names is there, the time of day is a day earlier than it
 * is. Clocks that only measure go on as they are. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 86400 };

int clock_gettime(clockid_t clock, struct timespec *out)
{
    const char *back = getenv("PDR_CLOCK_BACK");
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    if (result == 0 && clock == CLOCK_REALTIME && back && access(back, F_OK) == 0) out->tv_sec -= DAY_S;
    return result;
}
