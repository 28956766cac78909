#define _GNU_SOURCE
#include "engine.h"
#include "r_api.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *note_name, *note_text;

bool temporary_folder_note(const char *name, const char *text)
{
    note_name = strdup(name);
    note_text = strdup(text);
    return note_name != NULL && note_text != NULL;
}

void temporary_folder_make(void)
{
    char path[PATH_MAX];
    if (r.R_reInitTempDir == NULL) {
        return;
    }
    *r.R_TempDir = NULL;
    r.R_reInitTempDir(1);
    if (note_name == NULL || snprintf(path, sizeof path, "%s/%s", *r.R_TempDir, note_name) >= (int)sizeof path) {
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        /* Without it the folder stays when the process is killed: no reason not to start. */
        ssize_t written = write(fd, note_text, strlen(note_text));
        (void)written;
        close(fd);
    }
}
