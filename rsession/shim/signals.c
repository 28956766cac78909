/* Signals of a process in which R shares its threads with a server. */
#define _GNU_SOURCE
#include "engine.h"
#include "queue.h"
#include "r_api.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAVE_NO = 3, SAVE_YES = 4 }; /* R's SA_NOSAVE, SA_SAVE */

#define DESCRIPTORS 2400 /* those of R and those of at most 1280 connections, which begin at 1024 */

bool in_child;

static volatile sig_atomic_t end_signal;
static volatile sig_atomic_t asked_status = -1; /* of request_exit */
static volatile sig_atomic_t is_told; /* by SIGTERM */
static int suspend_pipe[2] = {-1, -1};
static volatile sig_atomic_t asked_action; /* SAVE_NO or SAVE_YES when the page asked for the end */

static void note_interrupt(int signal_number)
{
    *r.R_interrupts_pending = 1;
    ring(exchange.to_r);
}

/* R's own handlers save and quit from inside the handler, wherever the process was. */
static void note_end(int signal_number)
{
    end_signal = signal_number;
    note_interrupt(signal_number);
}

/* Whoever reads the pipe suspends the session; without a reader R saves and ends. */
static void note_suspend(int signal_number)
{
    int before = errno;
    if (in_child || suspend_pipe[1] < 0 || write(suspend_pipe[1], signal_number == SIGUSR2 ? "2" : "1", 1) < 0) {
        note_end(signal_number);
    }
    errno = before;
}

/* A machine that is shut down sends it to everybody: the objects are to be kept. The second one ends R as it is. */
static void note_terminate(int signal_number)
{
    int before = errno;
    if (is_told || in_child || suspend_pipe[1] < 0 || write(suspend_pipe[1], "T", 1) < 0) {
        note_end(signal_number);
    }
    is_told = 1;
    errno = before;
}

static void swallow(int signal_number)
{
}

static void install(int signal_number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

void signals_install(void)
{
    install(SIGINT, note_interrupt);
    install(SIGTERM, note_terminate);
    install(SIGUSR1, note_suspend);
    install(SIGUSR2, note_suspend);
    /* R's handler raises an R error on whichever thread wrote to a closed socket. Not SIG_IGN: children would inherit that. */
    install(SIGPIPE, swallow);
    install(SIGXFSZ, SIG_DFL);
    /* They were held back while nobody could heed them. */
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGUSR1);
    sigaddset(&held, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &held, NULL);
}

static struct sigaction aside[NSIG];

void signals_set_aside(void)
{
    struct sigaction fresh = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        if (sigaction(number, NULL, &aside[number]) == 0) {
            sigaction(number, &fresh, NULL);
        }
    }
}

void signals_put_back(void)
{
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &aside[number], NULL);
    }
}

/* True also while R waits for a child in system(), which ignores the signal meanwhile. */
bool interrupt_is_pending(void)
{
    struct sigaction current;
    sigaction(SIGINT, NULL, &current);
    return current.sa_handler == SIG_IGN || (r.R_interrupts_pending != NULL && *r.R_interrupts_pending);
}

bool end_is_wanted(void)
{
    return end_signal != 0 || asked_action != 0 || asked_status >= 0;
}

void request_exit(int status)
{
    asked_status = status;
}

int suspend_signals(void)
{
    return suspend_pipe[1] >= 0 || pipe2(suspend_pipe, O_CLOEXEC | O_NONBLOCK) == 0 ? suspend_pipe[0] : -1;
}

void request_end(bool save)
{
    asked_action = save ? SAVE_YES : SAVE_NO;
}

void end_now(void)
{
    int number = end_signal, action = asked_action;
    end_signal = asked_action = 0; /* .Last may fail, and then the session goes on */
    *r.R_interrupts_pending = 0;
    ends_unasked = asked_status >= 0 || action == 0;
    if (asked_status >= 0) {
        r.R_CleanUp(SAVE_NO, asked_status, 0);
    } else if (action != 0) {
        r.R_CleanUp(action, 0, 1);
    } else if (number == SIGTERM) {
        r.R_CleanUp(SAVE_NO, 128 + SIGTERM, 0);
    } else {
        r.R_CleanUp(SAVE_YES, 0, number == SIGUSR1);
    }
}

static void before_fork(void)
{
    exchange_lock();
}

static void after_fork_in_parent(void)
{
    exchange_unlock();
}

static bool same_name(int fd, const struct sockaddr_storage *name, socklen_t size)
{
    struct sockaddr_storage other;
    socklen_t other_size = sizeof other;
    return getsockname(fd, (struct sockaddr *)&other, &other_size) == 0 && other_size == size && memcmp(&other, name, size) == 0;
}

/* A child that outlives R must not keep the server's connections open, nor the pipe whose end tells the keeper of R's. */
static void close_connections(void)
{
    close(start.original_error);
    start.original_error = STDERR_FILENO;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    if (getsockname(start.listener, (struct sockaddr *)&name, &size) != 0 || size <= sizeof(sa_family_t)) {
        return;
    }
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++) {
        if (same_name(fd, &name, size)) {
            close(fd);
        }
    }
}

static void after_fork_in_child(void)
{
    in_child = true;
    /* parallel ends its children with SIGTERM, and they have no prompt at which they would heed a note. */
    install(SIGTERM, SIG_DFL);
    install(SIGUSR1, SIG_DFL);
    install(SIGUSR2, SIG_DFL);
    pthread_mutex_init(&exchange.lock, NULL);
    /* The parent's bell is an input handler of the child too: hearing it there would silence it here. */
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    dup3(bell, exchange.to_r, O_CLOEXEC);
    close(bell);
    close_connections();
}

void fork_install(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
