/* What stands around a proxy when WebSockets are measured.

   websocket_load echo SOCKET               the session: switches protocols, then sends back what comes
   websocket_load run PORT PATH COOKIE N SECONDS BYTES    N clients, each with one message under way; prints messages
   websocket_load idle PORT PATH COOKIE N   N clients that do nothing; prints "ready", ends with standard input */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 65536, BUFFER = 1 << 16 };

static const char SWITCHED[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
static char buffer[BUFFER];
static unsigned char greeted[MOST];
static int pending[MOST];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void raise_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < MOST ? limit.rlim_max : MOST;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void watch(int set, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= MOST || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl");
}

static void answer(int fd) {
    ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    if (size <= 0) {
        close(fd);
        return;
    }
    if (!greeted[fd]) {
        greeted[fd] = 1;
        if (send(fd, SWITCHED, sizeof SWITCHED - 1, MSG_NOSIGNAL) < 0)
            fail("send");
    } else if (send(fd, buffer, (size_t)size, MSG_NOSIGNAL) < 0) {
        close(fd);
    }
}

static void echo(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct epoll_event events[512];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), set = epoll_create1(0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        fail("listen");
    watch(set, listener);
    for (;;) {
        int count = epoll_wait(set, events, 512, -1);
        for (int index = 0; index < count; index++) {
            int fd = events[index].data.fd;
            if (fd != listener) {
                answer(fd);
                continue;
            }
            if ((fd = accept(listener, NULL, NULL)) < 0)
                fail("accept");
            greeted[fd] = 0;
            watch(set, fd);
        }
    }
}

static int open_one(int port, const char *path, const char *cookie) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char head[4096];
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int size = snprintf(head, sizeof head,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:8787\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Origin: http://127.0.0.1:8787\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: %s\r\n\r\n",
                        path, cookie);
    if (send(fd, head, (size_t)size, 0) != size)
        fail("send");
    ssize_t got = 0;
    while (got < 4 || memmem(buffer, (size_t)got, "\r\n\r\n", 4) == NULL) {
        ssize_t more = recv(fd, buffer + got, sizeof buffer - (size_t)got, 0);
        if (more <= 0)
            fail("handshake");
        got += more;
    }
    if (memcmp(buffer, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "not switched: %.200s\n", buffer);
        exit(1);
    }
    return fd;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run(int port, const char *path, const char *cookie, int clients, double seconds, int size) {
    static char message[BUFFER];
    struct epoll_event events[512];
    int set = epoll_create1(0);
    long messages = 0;
    memset(message, 'w', sizeof message);
    for (int index = 0; index < clients; index++) {
        int fd = open_one(port, path, cookie);
        watch(set, fd);
        pending[fd] = size;
        if (send(fd, message, (size_t)size, 0) != size)
            fail("send");
    }
    double end = now() + seconds;
    while (now() < end) {
        int count = epoll_wait(set, events, 512, 1000);
        for (int index = 0; index < count; index++) {
            int fd = events[index].data.fd;
            ssize_t got = recv(fd, buffer, sizeof buffer, 0);
            if (got <= 0)
                fail("lost");
            pending[fd] -= (int)got;
            if (pending[fd] > 0)
                continue;
            messages++;
            pending[fd] = size;
            if (send(fd, message, (size_t)size, MSG_NOSIGNAL) != size)
                fail("send");
        }
    }
    printf("%ld\n", messages);
}

static void idle(int port, const char *path, const char *cookie, int clients) {
    for (int index = 0; index < clients; index++)
        open_one(port, path, cookie);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
}

int main(int count, char **words) {
    raise_limit();
    if (count == 3 && strcmp(words[1], "echo") == 0)
        echo(words[2]);
    else if (count == 8 && strcmp(words[1], "run") == 0)
        run(atoi(words[2]), words[3], words[4], atoi(words[5]), atof(words[6]), atoi(words[7]));
    else if (count == 6 && strcmp(words[1], "idle") == 0)
        idle(atoi(words[2]), words[3], words[4], atoi(words[5]));
    else
        return 2;
    return 0;
}
