/* Changes the bytes of R's vectors behind R's back, as packages do. Compiled by the tests; needs no R headers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void *SEXP;
extern double *REAL(SEXP);
extern long Rf_xlength(SEXP);
extern int Rf_asInteger(SEXP);

static uintptr_t inner_start(SEXP x)
{
    return ((uintptr_t)REAL(x) + 4095) & ~(uintptr_t)4095;
}

static uintptr_t inner_end(SEXP x)
{
    return (uintptr_t)(REAL(x) + Rf_xlength(x)) & ~(uintptr_t)4095;
}

SEXP poke(SEXP x, SEXP at)
{
    REAL(x)[Rf_asInteger(at) % Rf_xlength(x)] += 1;
    return x;
}

struct place {
    SEXP x, at;
};

static void *poke_place(void *data)
{
    const struct place *place = data;
    poke(place->x, place->at);
    return NULL;
}

SEXP poke_in_thread(SEXP x, SEXP at)
{
    pthread_t thread;
    struct place place = {x, at};
    pthread_create(&thread, NULL, poke_place, &place);
    pthread_join(thread, NULL);
    return x;
}

/* The kernel writes. */
SEXP read_into(SEXP x, SEXP at)
{
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (read(file, REAL(x) + Rf_asInteger(at) % (Rf_xlength(x) - 64), 64) < 0) {
        REAL(x)[0] = -1;
    }
    close(file);
    return x;
}

/* The pages are given back: they read as zeros although nobody wrote. */
SEXP give_back(SEXP x, SEXP at)
{
    uintptr_t start = inner_start(x) + (uintptr_t)(Rf_asInteger(at) % 200) * 4096;
    if (start < inner_end(x)) {
        madvise((void *)start, 4096, MADV_DONTNEED);
    }
    return x;
}

/* Another mapping at the same place. */
SEXP map_anew(SEXP x, SEXP at)
{
    uintptr_t start = inner_start(x) + (uintptr_t)(Rf_asInteger(at) % 200) * 4096;
    if (start + 8192 < inner_end(x)) {
        mmap((void *)start, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    return x;
}

/* Pages move within the vector: what was protected stands elsewhere now. */
SEXP move_pages(SEXP x, SEXP at)
{
    uintptr_t start = inner_start(x), from = start + (uintptr_t)(Rf_asInteger(at) % 100) * 4096, to = from + 101 * 4096;
    if (to + 4096 < inner_end(x)) {
        mremap((void *)from, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to);
        mmap((void *)from, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    return x;
}

/* A private mapping of a file, then of other bytes of it. */
SEXP map_file(SEXP x, SEXP at)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uintptr_t start = inner_start(x) + (uintptr_t)(Rf_asInteger(at) % 200) * 4096;
    if (start + 4096 < inner_end(x)) {
        mmap((void *)start, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, (Rf_asInteger(at) % 4) * 4096);
    }
    close(file);
    return x;
}
