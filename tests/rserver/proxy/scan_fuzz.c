/* Feeds the readers of heads and chunks with damaged input, each in a buffer of exactly its size. For sanitizers.

   scan_fuzz SEED ROUNDS: changes bytes, cuts, repeats and splices of the samples below. Prints how many were accepted. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunk_scan.h"

static const char *const SAMPLES[] = {
    "GET /s/abcdecfc78a3112345678/x?y HTTP/1.1\r\nHost: here:80\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: [::1]:8787\r\nContent-Length: 12\r\nExpect: 100-continue\r\nCookie: a=b; c\r\n\r\nbody",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close, X-Hop\r\nX-Hop: \t1 \r\n\r\n",
    "HTTP/1.0 204\r\n\r\n",
    "5;ext=1\r\nabcde\r\nA \t;x\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
    "fffffffffffffff\r\nx",
    "\r\n\r\n",
};
enum { COUNT = sizeof SAMPLES / sizeof *SAMPLES, LARGEST = 1 << 16 };

static unsigned long state;

static unsigned chance(unsigned below) {
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return below ? (unsigned)(state >> 33) % below : 0;
}

static size_t damaged(char *to) {
    const char *one = SAMPLES[chance(COUNT)], *two = SAMPLES[chance(COUNT)];
    size_t size = strlen(one), cut = chance(4) ? size : chance((unsigned)size + 1);
    memcpy(to, one, cut);
    for (unsigned times = chance(8) ? chance(2) : chance(200); times && cut + strlen(two) < LARGEST; times--) {
        memcpy(to + cut, two, strlen(two));
        cut += strlen(two);
    }
    for (unsigned times = chance(6); times && cut; times--)
        to[chance((unsigned)cut)] = (char)chance(256);
    return cut;
}

static unsigned feed_chunks(const char *data, size_t size) {
    Chunks chunks;
    size_t fed = 0;
    chunks_begin(&chunks);
    while (fed < size) {
        size_t piece = 1 + chance((unsigned)(size - fed));
        char *exact = malloc(piece);
        memcpy(exact, data + fed, piece);
        const char *at = exact;
        Span payload;
        ChunkEvent event;
        while ((event = chunks_next(&chunks, &at, exact + piece, &payload)) == CHUNK_PAYLOAD)
            if (payload.size > piece)
                abort();
        free(exact);
        if (event != CHUNK_MORE)
            return event == CHUNK_COMPLETE;
        fed += piece;
    }
    return 0;
}

int main(int count, char **words) {
    static char data[LARGEST + 256];
    static Request request;
    static Answer answer;
    unsigned long accepted = 0, rounds = count == 3 ? strtoul(words[2], NULL, 10) : 0;
    state = count == 3 ? strtoul(words[1], NULL, 10) : 0;
    while (rounds--) {
        size_t size = damaged(data);
        char *exact = malloc(size ? size : 1);
        memcpy(exact, data, size);
        if (scan_request(exact, size, &request) == SCAN_DONE) {
            accepted++;
            for (size_t index = 0; index < request.head.count; index++)
                head_names(&request.head, request.head.fields[index].name);
        }
        if (scan_answer(exact, size, &answer) == SCAN_DONE) {
            accepted++;
            for (size_t index = 0; index < answer.head.count; index++)
                head_names(&answer.head, answer.head.fields[index].name);
        }
        free(exact);
        accepted += feed_chunks(data, size);
    }
    printf("%lu\n", accepted);
    return 0;
}
