/* R changes the environment and the locale whenever it likes (at its start, by Sys.setenv, by Sys.setlocale), and the C library lets
 * nobody read the environment meanwhile. Python reads it with every error of the system: strerror looks for a translation, whose
 * language getenv tells. In the locale C there is nothing to look for. */
#define _GNU_SOURCE
#include "thread_locale.h"

#include <locale.h>

static locale_t own;

/* Before there is a second thread: the C library measures the names of the locale before it takes its lock, and writes past their end
 * when R sets a longer one meanwhile. */
__attribute__((constructor)) static void make_own(void)
{
    locale_t now = duplocale(LC_GLOBAL_LOCALE);
    if (now != (locale_t)0) {
        own = newlocale(LC_MESSAGES_MASK, "C", now);
    }
}

bool keep_own_locale(void)
{
    return own != (locale_t)0 && uselocale(own) != (locale_t)0;
}
