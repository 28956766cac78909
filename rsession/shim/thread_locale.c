/* R changes the environment and the locale whenever it likes (at its start, by Sys.setenv, by Sys.setlocale), and the C library lets
 * nobody read the environment meanwhile. Python reads it with every error of the system: strerror looks for a translation, whose
 * language getenv tells. In the locale C there is nothing to look for. */
#define _GNU_SOURCE
#include "thread_locale.h"

#include <locale.h>
#include <pthread.h>

static locale_t own;

static void make_own(void)
{
    locale_t now = duplocale(LC_GLOBAL_LOCALE);
    if (now != (locale_t)0) {
        own = newlocale(LC_MESSAGES_MASK, "C", now);
    }
}

bool keep_own_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_own);
    return own != (locale_t)0 && uselocale(own) != (locale_t)0;
}
