#define _GNU_SOURCE
#include "write_tracking.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of kernel headers that are newer than the oldest ones this is built with. */
#define FEATURE_WP_ASYNC ((uint64_t)1 << 15)
#define USER_MODE_ONLY 1
enum page_category { WP_ALLOWED = 1, WRITTEN = 2, OF_FILE = 4, PRESENT = 8, SWAPPED = 16 };

struct scan_request {
    uint64_t size, flags, start, end, walk_end, regions, region_count, most_pages;
    uint64_t inverted, needed, needed_any, returned;
};

struct scan_region {
    uint64_t start, end, categories;
};

#define SCAN_PAGES _IOWR('f', 16, struct scan_request)

/* The mapping at an address (Linux 6.11). */
struct mapping_query {
    uint64_t size, query, address, start, end, flags, page_size, offset, inode;
    uint32_t device_major, device_minor, name_size, build_id_size;
    uint64_t name, build_id;
};

enum mapping_flag { READABLE = 1, WRITABLE = 2, SHARED = 8 };

#define QUERY_MAPPING _IOWR('f', 17, struct mapping_query)

static int faults = -1, pagemap = -1, mappings = -1;
static bool asks_mappings; /* otherwise each page is asked for its file, which takes ten times as long */
static pid_t owner;

uintptr_t page_floor(uintptr_t address)
{
    return address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

uintptr_t page_ceiling(uintptr_t address)
{
    return page_floor(address + (uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

static long scan(uintptr_t start, uintptr_t end, struct scan_region *region)
{
    uint64_t unwanted = asks_mappings ? WRITTEN : WRITTEN | OF_FILE;
    struct scan_request request = {
        .size = sizeof request, .start = start, .end = end, .regions = (uintptr_t)region, .region_count = 1,
        .inverted = unwanted, .needed = WP_ALLOWED | unwanted, .needed_any = PRESENT | SWAPPED, .returned = WP_ALLOWED};
    return ioctl(pagemap, SCAN_PAGES, &request);
}

static bool find_mapping(uintptr_t address, struct mapping_query *found)
{
    *found = (struct mapping_query){.size = sizeof *found, .query = READABLE | WRITABLE, .address = address};
    return ioctl(mappings, QUERY_MAPPING, found) == 0;
}

/* Protection lasts only as long as the mapping does: what is private and no file now stays so while pages are protected. */
static bool is_private_memory(uintptr_t start, uintptr_t end)
{
    struct mapping_query found;
    while (start < end) {
        if (!find_mapping(start, &found) || found.inode != 0 || found.flags & SHARED || found.end <= start) {
            return false;
        }
        start = found.end;
    }
    return true;
}

static void stop(void)
{
    int *files[] = {&faults, &pagemap, &mappings};
    for (int i = 0; i < 3; i++) {
        if (*files[i] >= 0) {
            close(*files[i]);
        }
        *files[i] = -1;
    }
}

const char *write_tracking_start(void)
{
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_WP_ASYNC};
    struct scan_region region;
    uintptr_t here = page_floor((uintptr_t)&region);
    if (write_tracking_is_on()) {
        return NULL;
    }
    stop();
    owner = getpid();
    faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
    if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0) {
        stop();
        return "the kernel does not offer it, or it is not allowed here";
    }
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap < 0 || scan(here, here + (uintptr_t)sysconf(_SC_PAGESIZE), &region) != 0) {
        stop();
        return "/proc/self/pagemap cannot be searched";
    }
    struct mapping_query found;
    mappings = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    asks_mappings = mappings >= 0 && find_mapping(here, &found);
    return NULL;
}

bool write_tracking_is_on(void)
{
    return pagemap >= 0 && owner == getpid();
}

bool write_tracking_protect(uintptr_t start, uintptr_t end)
{
    struct uffdio_register wanted = {.range = {start, end - start}, .mode = UFFDIO_REGISTER_MODE_WP};
    struct uffdio_writeprotect protect = {.range = {start, end - start}, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    if (!write_tracking_is_on() || (asks_mappings && !is_private_memory(start, end))) {
        return false;
    }
    return start >= end || (ioctl(faults, UFFDIO_REGISTER, &wanted) == 0 && ioctl(faults, UFFDIO_WRITEPROTECT, &protect) == 0);
}

bool write_tracking_is_unwritten(uintptr_t start, uintptr_t end)
{
    struct scan_region region;
    if (!write_tracking_is_on()) {
        return false;
    }
    return start >= end || (scan(start, end, &region) == 1 && region.start == start && region.end == end);
}
