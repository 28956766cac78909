/* What crosses between R's thread and the reactor's: ordered segments one way, lines and jobs the other. */
#ifndef RSESSION_QUEUE_H
#define RSESSION_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum segment_kind { OUTPUT, ERROR, PROMPT, INPUT, EMITTED, RESULT, QUIT, IDLE, BATCH_END };

struct segment {
    struct segment *next;
    enum segment_kind kind;
    long long number;
    size_t first_size, second_size, capacity;
    char *first;  /* malloced; only OUTPUT and ERROR grow, `capacity` bytes are theirs */
    char *second; /* malloced or NULL */
};

struct line {
    struct line *next;
    long long number;
    long long batch; /* number of the lines that it belongs to, 0 for none, see batch.c */
    size_t size;
    char text[]; /* ends in a newline */
};

struct job {
    struct job *next;
    long long number;
    int arguments;
    size_t *sizes;
    char **texts; /* texts[0] is the name of the function */
};

struct exchange {
    pthread_mutex_t lock;
    pthread_cond_t room, acknowledged, answer_came;
    struct segment *head, *tail;
    size_t backlog; /* bytes of text in the segments */
    bool signalled, urgent, quit_seen;
    struct line *first_line, *last_line;
    size_t lines, line_bytes;
    long long last_line_number, last_batch;
    bool discard_rest; /* of the line that R is taking in pieces */
    struct job *first_job, *last_job;
    long long last_question, answered; /* numbers, see asking.c */
    char *answer;                      /* to question `answered`, malloced */
    int to_reactor; /* eventfd */
    int to_r;       /* eventfd */
    int child_output[2];
};

extern struct exchange exchange;

bool exchange_open(void);

/* Also right when this thread holds the lock already, which happens below R's crash handler alone. */
void exchange_lock(void);
void exchange_unlock(void);

void ring(int eventfd);
void unring(int eventfd);

/* The following need the lock. */
void put_text(enum segment_kind kind, const char *text, size_t size);
void put_segment(enum segment_kind kind, long long number, char *first, size_t first_size, char *second, size_t second_size);
void wake_reactor(bool urgently);
bool take_child_output(void); /* false when the queue is full */
struct line *take_line(void);
void discard_lines(void);
struct job *take_job(void);

void job_free(struct job *job);
void segment_free(struct segment *segment);

#define BACKLOG_LIMIT ((size_t)8 << 20)
#define BACKLOG_URGENT ((size_t)1 << 20)

#endif
