// Watching folders and the mount table. Everything is an int, so that Swift calls it without pointers.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

// An inotify instance (inotify_init1(2)), or -1 with errno.
static inline int hawser_inotify(void) { return inotify_init1(IN_CLOEXEC); }

// Watches the folder that a descriptor names, so that what was opened and what is watched are the same; a watch or -1 with errno.
static inline int hawser_inotify_add(int inotify, int folder, uint32_t events) {
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
    return inotify_add_watch(inotify, path, events);
}

enum {
    HAWSER_WATCH_ENTRIES = 1,
    HAWSER_WATCH_MOUNTS = 2,
    HAWSER_WATCH_STOP = 4,
};

// Waits until `inotify` or `stop` can be read or the mount table (/proc/self/mountinfo, or -1 for none; it says so with POLLPRI,
// proc(5)) changes: which of them, as bits; 0 after `milliseconds` (-1: never); -1 with errno.
static inline int hawser_watch(int inotify, int mounts, int stop, int milliseconds) {
    struct pollfd all[3] = {{inotify, POLLIN, 0}, {mounts, POLLPRI, 0}, {stop, POLLIN, 0}};
    if (poll(all, 3, milliseconds) < 0) return -1;
    return (all[0].revents != 0 ? HAWSER_WATCH_ENTRIES : 0) | (all[1].revents & (POLLPRI | POLLERR) ? HAWSER_WATCH_MOUNTS : 0) |
           (all[2].revents != 0 ? HAWSER_WATCH_STOP : 0);
}

// Whether an open file is a regular one, whatever it was opened for.
static inline bool hawser_file_is_regular(int file) {
    struct stat status;
    return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

// Whose an open file is; of a link that was opened itself, whose the link is. UINT32_MAX, which is nobody's, where
// the kernel doesn't say.
static inline uint32_t hawser_file_owner(int file) {
    struct stat status;
    return fstat(file, &status) == 0 ? status.st_uid : UINT32_MAX;
}
