/* Which pages were written since they were protected, as the kernel knows it: userfaultfd in its asynchronous write-protect mode and
 * PAGEMAP_SCAN (Linux 6.7). It sees every writer, also other threads and the kernel itself. */
#ifndef RSESSION_WRITE_TRACKING_H
#define RSESSION_WRITE_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

/* NULL, or why there is no tracking in this process. */
const char *write_tracking_start(void);

/* False also in a child of the process that started it. */
bool write_tracking_is_on(void);

/* From now on writes to these whole pages are noticed; false when they cannot be. */
bool write_tracking_protect(uintptr_t start, uintptr_t end);

/* Whether all of these pages are private memory that is still there, and nothing was written since they were protected. Anything
 * uncertain (another mapping at that place, pages that were given back, files) is false. */
bool write_tracking_is_unwritten(uintptr_t start, uintptr_t end);

uintptr_t page_floor(uintptr_t address);
uintptr_t page_ceiling(uintptr_t address);

#endif
