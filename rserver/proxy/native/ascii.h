/* Letters, controls and digits of ASCII, eight bytes at a time where there are many. */

#ifndef RSERVER_PROXY_ASCII_H
#define RSERVER_PROXY_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline char lower_case(char character) {
    return (char)(character | (((unsigned char)(character - 'A') < 26) << 5));
}

/* Without regard to case; lower is in lower case. */
static inline bool equals_lower(const char *at, const char *lower, size_t size) {
    for (size_t index = 0; index < size; index++)
        if (lower_case(at[index]) != lower[index])
            return false;
    return true;
}

void lower_bytes(char *at, size_t size);

enum { DECIMAL_SIZE = 20 };

/* The digits of a number, at most DECIMAL_SIZE; how many there are. */
size_t write_decimal(char *at, uint64_t number);

/* Where the first control byte or DEL is, or at most seven bytes before it; a tab is a control byte here. */
const char *skip_text(const char *at, const char *end);

#endif
