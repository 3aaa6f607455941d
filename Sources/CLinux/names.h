// Asking the helper that names network namespaces: a process of its own, forked before the daemon confines
// itself, so that the daemon can do without mount(2) and umount2(2). What the helper does is in
// names-helper.h.
//
// A request is a datagram of a `hawser_names_request`, with one descriptor if it binds; an answer is a
// `hawser_names_answer`.
#pragma once
#include "names-helper.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Starts the helper for a folder, which must be there; the end of the socket that requests go to, or -1 with
// errno. The calling thread must live as long as the helper is wanted.
static inline int hawser_names_begin(const char *path, pid_t *helper) {
    int folder = open(path, HAWSER_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return -1;
    int ends[2] = {-1, -1};
    int error = 0;
    // Where standard descriptors are closed the helper's would be among the places that they go to.
    int pinned = fcntl(folder, F_DUPFD_CLOEXEC, 3), theirs = -1;
    if (pinned < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) error = errno;
    if (error == 0 && (theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 3)) < 0) error = errno;
    if (error == 0) {
        // What is said to a whole group of processes, as by a terminal, is the daemon's to take; the helper
        // ends when that does.
        sigset_t all, before;
        sigfillset(&all);
        (void)pthread_sigmask(SIG_BLOCK, &all, &before);
        pid_t parent = getpid();
        *helper = fork();
        if (*helper == 0) hawser_names_live(theirs, pinned, path, parent);
        if (*helper < 0) error = errno;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)close(folder);
    if (pinned >= 0) (void)close(pinned);
    if (theirs >= 0) (void)close(theirs);
    if (ends[1] >= 0) (void)close(ends[1]);
    if (error == 0) return ends[0];
    if (ends[0] >= 0) (void)close(ends[0]);
    errno = error;
    return -1;
}

// Waits for the helper's end; its status (wait(2)), or -1 with errno.
static inline int hawser_names_wait(pid_t helper) {
    int status = 0;
    while (waitpid(helper, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return status;
}

// Sends bytes and descriptors to the helper as they are, and waits for its answer; 0, or -1 with errno: there
// is no helper.
static inline int hawser_names_exchange(
    int socket_, const void *bytes, size_t length, const int *descriptors, int count,
    struct hawser_names_answer *answer) {
    enum { most = 4 };
    if (count < 0 || count > most) {
        errno = EINVAL;
        return -1;
    }
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(most * sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        size_t size = (size_t)count * sizeof(int);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(&control.header), descriptors, size);
    }
    while (sendmsg(socket_, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return -1;
    }
    ssize_t received;
    while ((received = recv(socket_, answer, sizeof(*answer), 0)) < 0) {
        if (errno != EINTR) return -1;
    }
    if (received == (ssize_t)sizeof(*answer)) return 0;
    errno = EPIPE;
    return -1;
}

// Asks the helper for something, with a descriptor unless it is negative.
static inline int hawser_names_ask(
    int socket_, enum hawser_names_verb verb, const char *name, int descriptor,
    struct hawser_names_answer *answer) {
    struct hawser_names_request request;
    memset(&request, 0, sizeof(request));
    request.verb = verb;
    size_t length = strlen(name);
    if (length > NAME_MAX) {
        *answer = (struct hawser_names_answer){.error = ENAMETOOLONG, .step = HAWSER_NAMES_REQUEST};
        return 0;
    }
    memcpy(request.name, name, length);
    int count = descriptor >= 0 ? 1 : 0;
    return hawser_names_exchange(socket_, &request, sizeof(request), &descriptor, count, answer);
}
