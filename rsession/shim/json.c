#include "json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 100

static void literal(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

/* Length of the well-formed UTF-8 sequence at `at`, 0 when there is none. */
static size_t sequence_length(const unsigned char *at, const unsigned char *end)
{
    unsigned char first = at[0], low = 0x80, high = 0xBF;
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || (size_t)(end - at) < length) {
        return 0;
    }
    if (first == 0xE0) {
        low = 0xA0;
    } else if (first == 0xED) {
        high = 0x9F;
    } else if (first == 0xF0) {
        low = 0x90;
    } else if (first == 0xF4) {
        high = 0x8F;
    }
    for (size_t i = 1; i < length; i++, low = 0x80, high = 0xBF) {
        if (at[i] < low || at[i] > high) {
            return 0;
        }
    }
    return length;
}

static void escape(struct buffer *buffer, unsigned char character)
{
    char text[8];
    switch (character) {
    case '"': literal(buffer, "\\\""); break;
    case '\\': literal(buffer, "\\\\"); break;
    case '\n': literal(buffer, "\\n"); break;
    default: snprintf(text, sizeof text, "\\u%04x", character); literal(buffer, text);
    }
}

void json_write_text(struct buffer *buffer, const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size, *plain = at;
    buffer_append(buffer, "\"", 1);
    while (at < end) {
        size_t length = sequence_length(at, end);
        if (length > 0 && *at >= 0x20 && *at != '"' && *at != '\\') {
            at += length;
            continue;
        }
        buffer_append(buffer, (const char *)plain, (size_t)(at - plain));
        if (length == 0) {
            literal(buffer, "\xEF\xBF\xBD");
        } else {
            escape(buffer, *at);
        }
        plain = ++at;
    }
    buffer_append(buffer, (const char *)plain, (size_t)(at - plain));
    buffer_append(buffer, "\"", 1);
}

static void write_string_cell(struct buffer *buffer, SEXP cell)
{
    if (cell == *r.R_NaString) {
        literal(buffer, "null");
        return;
    }
    void *mark = r.vmaxget();
    const char *text = r.Rf_getCharCE(cell) == ENCODED_BYTES ? r.R_CHAR(cell) : r.Rf_translateCharUTF8(cell);
    json_write_text(buffer, text, strlen(text));
    r.vmaxset(mark);
}

static void write_real(struct buffer *buffer, double value)
{
    char text[32];
    if (!isfinite(value)) {
        literal(buffer, "null");
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value) {
        snprintf(text, sizeof text, "%.17g", value);
    }
    literal(buffer, text);
}

static void write_integer(struct buffer *buffer, int value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    literal(buffer, value == INT_MIN ? "null" : text);
}

static void write_logical(struct buffer *buffer, int value)
{
    literal(buffer, value == INT_MIN ? "null" : value ? "true" : "false");
}

static void write_label(struct buffer *buffer, SEXP levels, int code)
{
    if (code == INT_MIN || r.TYPEOF(levels) != STRING_VECTOR || code < 1 || code > r.Rf_xlength(levels)) {
        literal(buffer, "null");
    } else {
        write_string_cell(buffer, r.STRING_ELT(levels, code - 1));
    }
}

static const char *write_value(struct buffer *buffer, SEXP value, int depth);

/* Element `i` of an atomic vector or list. */
static const char *write_element(struct buffer *buffer, SEXP value, ptrdiff_t i, int depth)
{
    switch (r.TYPEOF(value)) {
    case LOGICAL_VECTOR: write_logical(buffer, r.LOGICAL(value)[i]); break;
    case REAL_VECTOR: write_real(buffer, r.REAL(value)[i]); break;
    case STRING_VECTOR: write_string_cell(buffer, r.STRING_ELT(value, i)); break;
    case LIST_VECTOR: return write_value(buffer, r.VECTOR_ELT(value, i), depth + 1);
    case INTEGER_VECTOR:
        if (r.Rf_inherits(value, "factor")) {
            write_label(buffer, r.Rf_getAttrib(value, *r.R_LevelsSymbol), r.INTEGER(value)[i]);
        } else {
            write_integer(buffer, r.INTEGER(value)[i]);
        }
    }
    return NULL;
}

static const char *write_array(struct buffer *buffer, SEXP value, int depth)
{
    const char *refusal = NULL;
    ptrdiff_t length = r.Rf_xlength(value);
    literal(buffer, "[");
    for (ptrdiff_t i = 0; i < length && refusal == NULL && !buffer->overflow; i++) {
        literal(buffer, i > 0 ? "," : "");
        refusal = write_element(buffer, value, i, depth);
    }
    literal(buffer, "]");
    return refusal;
}

static const char *write_object(struct buffer *buffer, SEXP value, SEXP names, int depth)
{
    const char *refusal = NULL;
    ptrdiff_t length = r.Rf_xlength(value);
    literal(buffer, "{");
    for (ptrdiff_t i = 0; i < length && refusal == NULL && !buffer->overflow; i++) {
        SEXP name = r.STRING_ELT(names, i);
        literal(buffer, i > 0 ? "," : "");
        if (name == *r.R_NaString) {
            literal(buffer, "\"NA\"");
        } else {
            write_string_cell(buffer, name);
        }
        literal(buffer, ":");
        refusal = write_element(buffer, value, i, depth);
    }
    literal(buffer, "}");
    return refusal;
}

static const char *write_list(struct buffer *buffer, SEXP value, int depth)
{
    SEXP names = r.Rf_protect(r.Rf_getAttrib(value, *r.R_NamesSymbol));
    const char *refusal = depth > MAX_DEPTH                 ? "the value is nested too deeply"
                          : names == *r.R_NilValue ? write_array(buffer, value, depth)
                                                            : write_object(buffer, value, names, depth);
    r.Rf_unprotect(1);
    return refusal;
}

static const char *write_value(struct buffer *buffer, SEXP value, int depth)
{
    if (value == *r.R_NilValue) {
        literal(buffer, "null");
        return NULL;
    }
    switch (r.TYPEOF(value)) {
    case LIST_VECTOR: return write_list(buffer, value, depth);
    case SYMBOL: write_string_cell(buffer, r.PRINTNAME(value)); return NULL;
    case STRING_CELL: write_string_cell(buffer, value); return NULL;
    case LOGICAL_VECTOR:
    case INTEGER_VECTOR:
    case REAL_VECTOR:
    case STRING_VECTOR:
        if (r.Rf_xlength(value) == 1 && !r.Rf_inherits(value, "rs_array")) {
            return write_element(buffer, value, 0, depth);
        }
        return write_array(buffer, value, depth);
    default: return "the value is of a type that has no JSON form";
    }
}

const char *json_write(struct buffer *buffer, SEXP value)
{
    const char *refusal = write_value(buffer, value, 0);
    return refusal == NULL && buffer->overflow ? "the value is too large" : refusal;
}
