#include "http_scan.h"

enum { TOKEN = 1, TEXT = 2, VISIBLE = 4, HOST = 8, PLAIN = 16 };

static const char TOKEN_MARKS[] = "!#$%&'*+-.^_`|~", HOST_MARKS[] = "._-";

static uint8_t classes[256];

__attribute__((constructor)) static void fill_classes(void) {
    for (int byte = 0; byte < 256; byte++) {
        bool letter_or_digit = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        bool mark = byte != 0 && byte < 0x80;
        if (letter_or_digit || (mark && strchr(TOKEN_MARKS, byte)))
            classes[byte] |= TOKEN;
        if (letter_or_digit || (mark && strchr(HOST_MARKS, byte)))
            classes[byte] |= HOST;
        if (letter_or_digit || byte == '-')
            classes[byte] |= PLAIN;
        if (byte == '\t' || (byte >= 0x20 && byte != 0x7f))
            classes[byte] |= TEXT;
        if (byte > 0x20 && byte < 0x7f)
            classes[byte] |= VISIBLE;
    }
}

static const struct {
    const char *name;
    FieldId id;
} KNOWN[] = {
    {"authorization", FIELD_AUTHORIZATION},
    {"content-length", FIELD_CONTENT_LENGTH},
    {"content-type", FIELD_CONTENT_TYPE},
    {"expect", FIELD_EXPECT},
    {"host", FIELD_HOST},
    {"origin", FIELD_ORIGIN},
    {"transfer-encoding", FIELD_TRANSFER_ENCODING},
    {"upgrade", FIELD_UPGRADE},
    {"sec-websocket-key", FIELD_WEBSOCKET_KEY},
    {"sec-websocket-version", FIELD_WEBSOCKET_VERSION},
    {"x-rs-csrf-token", FIELD_CSRF_TOKEN},
    {"x-forwarded-host", FIELD_FORWARDED_HOST},
    {"x-forwarded-proto", FIELD_FORWARDED_PROTO},
    {"x-rstudio-request", FIELD_STUDIO_REQUEST},
    {"x-rstudio-root-path", FIELD_STUDIO_ROOT_PATH},
    {"connection", FIELD_CONNECTION},
    {"cookie", FIELD_COOKIE},
    {"referer", FIELD_REFERER},
    {"set-cookie", FIELD_SET_COOKIE},
    {"forwarded", FIELD_FORWARDED},
    {"x-real-ip", FIELD_REAL_IP},
    {"keep-alive", FIELD_HOP_BY_HOP},
    {"te", FIELD_HOP_BY_HOP},
    {"trailer", FIELD_HOP_BY_HOP},
    {"proxy", FIELD_HOP_BY_HOP},
    {"proxy-connection", FIELD_HOP_BY_HOP},
    {"proxy-authenticate", FIELD_HOP_BY_HOP},
    {"proxy-authorization", FIELD_HOP_BY_HOP},
    {"proxy-authentication-info", FIELD_HOP_BY_HOP},
};

enum { LONGEST_KNOWN = 25, MOST_OF_A_SIZE = 8 };

/* Of each size of a name: which of KNOWN have it. */
static uint8_t known_of_size[LONGEST_KNOWN + 1][MOST_OF_A_SIZE], known_counts[LONGEST_KNOWN + 1];

__attribute__((constructor)) static void sort_known(void) {
    for (size_t index = 0; index < sizeof KNOWN / sizeof *KNOWN; index++) {
        size_t size = strlen(KNOWN[index].name);
        known_of_size[size][known_counts[size]++] = (uint8_t)index;
    }
}

static const Span OURS[] = {{"x-rs-", 5}, {"x-rstudio-", 10}, {"x-forwarded-", 12}, {"proxy-", 6}};
/* What a Connection field may not take away from the other side. */
static const char *const NEVER_NAMED[] = {"host",         "cookie", "content-length", "set-cookie",
                                          "content-type", "origin", "close",          "keep-alive",
                                          "upgrade"};

static bool is(char byte, int class) { return classes[(uint8_t)byte] & class; }

bool is_token_byte(char character) { return is(character, TOKEN); }

bool is_text_byte(char character) { return is(character, TEXT); }

static bool same(Span one, Span two) {
    if (one.size != two.size)
        return false;
    for (size_t index = 0; index < one.size; index++)
        if (lower_case(one.at[index]) != lower_case(two.at[index]))
            return false;
    return true;
}

static Span stripped(const char *start, const char *end) {
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (start < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (Span){start, (size_t)(end - start)};
}

/* Where a run of bytes of a class ends. */
static const char *run(const char *at, const char *end, int class) {
    while (at < end && is(*at, class))
        at++;
    return at;
}

/* is_plain: of letters, digits and dashes only. */
static FieldId identify(Span name, bool is_plain) {
    size_t known = name.size <= LONGEST_KNOWN ? known_counts[name.size] : 0;
    for (size_t index = 0; index < known; index++) {
        uint8_t which = known_of_size[name.size][index];
        if (equals_lower(name.at, KNOWN[which].name, name.size))
            return KNOWN[which].id;
    }
    if (!is_plain)
        return FIELD_PECULIAR;
    for (size_t index = 0; index < sizeof OURS / sizeof *OURS; index++)
        if (name.size >= OURS[index].size && equals_lower(name.at, OURS[index].at, OURS[index].size))
            return FIELD_OURS;
    return FIELD_ORDINARY;
}

/* One token of a Connection field; where the next one begins, NULL behind the last one. */
static const char *next_token(const char *at, const char *end, Span *token) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    *token = stripped(at, comma ? comma : end);
    return comma ? comma + 1 : NULL;
}

static void read_connection(Head *head, Span value) {
    const char *at = value.at, *end = value.at + value.size;
    while (at != NULL) {
        Span token;
        at = next_token(at, end, &token);
        if (span_equals(token, "close"))
            head->close = true;
        else if (span_equals(token, "upgrade"))
            head->upgrades = true;
        else if (!span_equals(token, "keep-alive"))
            head->names = true;
    }
}

bool head_names(const Head *head, Span name) {
    if (!head->names)
        return false;
    for (size_t index = 0; index < sizeof NEVER_NAMED / sizeof *NEVER_NAMED; index++)
        if (span_equals(name, NEVER_NAMED[index]))
            return false;
    for (size_t index = 0; index < head->count; index++) {
        const Field *field = &head->fields[index];
        const char *at = field->id == FIELD_CONNECTION ? field->value.at : NULL, *end = field->value.at + field->value.size;
        while (at != NULL) {
            Span token;
            at = next_token(at, end, &token);
            if (same(token, name))
                return true;
        }
    }
    return false;
}

static bool read_length(Span value, int64_t *length) {
    if (value.size == 0 || value.size > 18)
        return false;
    *length = 0;
    for (size_t index = 0; index < value.size; index++) {
        if (value.at[index] < '0' || value.at[index] > '9')
            return false;
        *length = *length * 10 + (value.at[index] - '0');
    }
    return true;
}

/* False when the meaning of the field is not acceptable. */
static bool take_field(Head *head, const Field *field) {
    switch (field->id) {
    case FIELD_CONTENT_LENGTH:
        return read_length(field->value, &head->length);
    case FIELD_TRANSFER_ENCODING:
        head->chunked = true;
        return span_equals(field->value, "chunked");
    case FIELD_CONNECTION:
        read_connection(head, field->value);
        return true;
    default:
        return true;
    }
}

/* One line of a field; where the next one begins, NULL when there is none whole (`*scan` says why). */
static const char *scan_field(const char *at, const char *end, Field *field, Scan *scan) {
    const char *name = at;
    uint8_t common = PLAIN;
    for (; at < end && is(*at, TOKEN); at++)
        common &= classes[(uint8_t)*at];
    field->name = (Span){name, (size_t)(at - name)};
    if (at < end && (*at != ':' || at == name)) {
        *scan = SCAN_OTHER;
        return NULL;
    }
    const char *value = at < end ? at + 1 : at;
    at = run(skip_text(value, end), end, TEXT);
    if (end - at < 2) {
        *scan = at < end && *at != '\r' ? SCAN_OTHER : SCAN_PARTIAL;
        return NULL;
    }
    if (at[0] != '\r' || at[1] != '\n') {
        *scan = SCAN_OTHER;
        return NULL;
    }
    field->value = stripped(value, at);
    field->id = identify(field->name, common != 0);
    return at + 2;
}

/* The fields and the empty line behind them. */
static Scan scan_fields(const char *data, const char *at, const char *end, Head *head) {
    uint32_t seen = 0;
    Scan scan = SCAN_OTHER;
    while (end - at >= 2 && !(at[0] == '\r' && at[1] == '\n')) {
        if (head->count == FIELD_LIMIT)
            return SCAN_OTHER;
        Field *field = &head->fields[head->count++];
        if ((at = scan_field(at, end, field, &scan)) == NULL)
            return scan;
        if (field->id <= LAST_SINGLE) {
            if (seen & (1u << field->id))
                return SCAN_OTHER;
            seen |= 1u << field->id;
        }
        if (!take_field(head, field))
            return SCAN_OTHER;
    }
    if (end - at < 2)
        return SCAN_PARTIAL;
    head->size = (size_t)(at + 2 - data);
    if (head->size > HEAD_LIMIT || (head->chunked && (head->length >= 0 || head->version == 0)))
        return SCAN_OTHER;
    return SCAN_DONE;
}

static void clear(Head *head) {
    head->count = head->size = 0;
    head->length = -1;
    head->chunked = head->close = head->upgrades = head->names = false;
}

static const Field *find(const Head *head, FieldId id) {
    for (size_t index = 0; index < head->count; index++)
        if (head->fields[index].id == id)
            return &head->fields[index];
    return NULL;
}

static bool is_host(Span host) {
    const char *at = host.at, *end = host.at + host.size, *start = at;
    if (at < end && *at == '[') {
        for (at++; at < end && *at != ']'; at++)
            if (!((*at >= '0' && *at <= '9') || *at == ':' || *at == '.' || (lower_case(*at) >= 'a' && lower_case(*at) <= 'f')))
                return false;
        if (at == end || at - start < 3 || at - start > 46)
            return false;
        at++;
    } else if ((at = run(at, end, HOST)) == start || at - start > 255) {
        return false;
    }
    if (at == end)
        return true;
    if (*at++ != ':' || end - at > 5)
        return false;
    for (; at < end; at++)
        if (*at < '0' || *at > '9')
            return false;
    return true;
}

/* "METHOD target HTTP/1.x" and its line end; where the fields begin, or NULL. */
static const char *scan_request_line(const char *at, const char *end, Request *request, Scan *scan) {
    const char *start = at;
    *scan = SCAN_OTHER;
    at = run(at, end, TOKEN);
    request->method = (Span){start, (size_t)(at - start)};
    if (request->method.size == 0 || request->method.size > METHOD_LIMIT || (at < end && *at != ' '))
        return NULL;
    const char *target = at < end ? at + 1 : at;
    at = run(target, end, VISIBLE);
    request->target = (Span){target, (size_t)(at - target)};
    if (end - at < 11) {
        *scan = SCAN_PARTIAL;
        return NULL;
    }
    if (memcmp(at, " HTTP/1.", 8) != 0 || (at[8] != '0' && at[8] != '1') || at[9] != '\r' || at[10] != '\n')
        return NULL;
    request->head.version = at[8] - '0';
    return at + 11;
}

static bool is_sound(const Request *request) {
    Span method = request->method, target = request->target;
    if (target.size == 0 || target.size > TARGET_LIMIT || target.at[0] != '/' || memchr(target.at, '#', target.size))
        return false;
    if ((method.size == 7 && memcmp(method.at, "CONNECT", 7) == 0) || (method.size == 5 && memcmp(method.at, "TRACE", 5) == 0))
        return false;
    const Field *host = find(&request->head, FIELD_HOST);
    return host ? is_host(host->value) : request->head.version == 0;
}

Scan scan_request(const char *data, size_t size, Request *request) {
    Scan scan;
    Head *head = &request->head;
    clear(head);
    const char *end = data + size, *at = scan_request_line(data, end, request, &scan);
    if (at == NULL)
        return scan;
    if ((scan = scan_fields(data, at, end, head)) != SCAN_DONE)
        return scan;
    if (!is_sound(request))
        return SCAN_OTHER;
    const Field *expect = find(head, FIELD_EXPECT), *upgrade = find(head, FIELD_UPGRADE);
    if (expect != NULL && !span_equals(expect->value, "100-continue"))
        return SCAN_OTHER;
    request->expects = expect != NULL && head->version == 1;
    bool asks = head->upgrades && upgrade != NULL && span_equals(upgrade->value, "websocket");
    bool is_get = request->method.size == 3 && memcmp(request->method.at, "GET", 3) == 0;
    request->upgrade = asks && is_get && head->version == 1 && !head->chunked && head->length <= 0;
    return SCAN_DONE;
}

/* "HTTP/1.x nnn reason" and its line end; where the fields begin, or NULL. */
static const char *scan_status_line(const char *at, const char *end, Answer *answer, Scan *scan) {
    *scan = SCAN_OTHER;
    size_t size = (size_t)(end - at);
    if (memcmp(at, "HTTP/1.", size < 7 ? size : 7) != 0)
        return NULL;
    if (size < 14) {
        *scan = run(at, end, TEXT) == end || at[size - 1] == '\r' ? SCAN_PARTIAL : SCAN_OTHER;
        return NULL;
    }
    for (int index = 9; index < 12; index++)
        if (at[index] < '0' || at[index] > '9')
            return NULL;
    if ((at[7] != '0' && at[7] != '1') || at[8] != ' ' || at[9] < '1' || at[9] > '5')
        return NULL;
    answer->head.version = at[7] - '0';
    answer->status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    at += 12;
    const char *reason = *at == ' ' ? at + 1 : at, *stop = *at == ' ' ? run(reason, end, TEXT) : at;
    answer->reason = (Span){reason, (size_t)(stop - reason)};
    if (end - stop < 2) {
        *scan = stop < end && *stop != '\r' ? SCAN_OTHER : SCAN_PARTIAL;
        return NULL;
    }
    return stop[0] == '\r' && stop[1] == '\n' ? stop + 2 : NULL;
}

Scan scan_answer(const char *data, size_t size, Answer *answer) {
    Scan scan;
    clear(&answer->head);
    const char *end = data + size, *at = scan_status_line(data, end, answer, &scan);
    return at == NULL ? scan : scan_fields(data, at, end, &answer->head);
}
