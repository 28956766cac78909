#include "ascii.h"

enum { WORD = sizeof(uint64_t) };

static uint64_t each(uint8_t byte) { return UINT64_C(0x0101010101010101) * byte; }

static uint64_t word_at(const char *at) {
    uint64_t word;
    memcpy(&word, at, WORD);
    return word;
}

/* The high bit of each byte that is a capital letter. */
static uint64_t capitals(uint64_t word) {
    uint64_t low = word & each(0x7f), from_a = low + each(0x80 - 'A'), behind_z = low + each(0x7f - 'Z');
    return (from_a ^ behind_z) & ~word & each(0x80);
}

void lower_bytes(char *at, size_t size) {
    char *end = at + size;
    for (; end - at >= WORD; at += WORD) {
        uint64_t word = word_at(at);
        word |= capitals(word) >> 2;
        memcpy(at, &word, WORD);
    }
    for (; at < end; at++)
        *at = lower_case(*at);
}

size_t write_decimal(char *at, uint64_t number) {
    char digits[DECIMAL_SIZE], *first = digits + DECIMAL_SIZE;
    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    memcpy(at, first, (size_t)(digits + DECIMAL_SIZE - first));
    return (size_t)(digits + DECIMAL_SIZE - first);
}

/* A word of bytes holds one that is no text, or a tab; exact as to whether, not as to which. */
static bool holds_control(uint64_t word) {
    uint64_t low = (word - each(0x20)) & ~word, other = word ^ each(0x7f), deleted = (other - each(1)) & ~other;
    return ((low | deleted) & each(0x80)) != 0;
}

const char *skip_text(const char *at, const char *end) {
    while (end - at >= WORD && !holds_control(word_at(at)))
        at += WORD;
    return at;
}
