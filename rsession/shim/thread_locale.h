/* The locale of threads that are not R's. */
#ifndef RSESSION_THREAD_LOCALE_H
#define RSESSION_THREAD_LOCALE_H

#include <stdbool.h>

/* Gives the calling thread a copy of the locale with untranslated messages; false when there is no memory for it. */
bool keep_own_locale(void);

#endif
