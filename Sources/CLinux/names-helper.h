// The helper that names network namespaces (names.h). It knows one folder and two requests, takes nothing
// that it is told on trust, and can do little else.
//
// Between fork(2) and its end it makes system calls and nothing else: other threads may have held any lock
// when it was forked.
#pragma once
#include "confine.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// Its name in /proc/PID/comm, which `pgrep -x hawserd` passes by.
#define HAWSER_NAMES_TITLE "hawserd-names"
// What each name begins with, so none is "." or ".."; letters, digits and "._~-" follow, so none is a path.
#define HAWSER_NAMES_PREFIX "hawser-"
// A descriptor that stands for a file without opening it (open(2)); glibc hides it behind _GNU_SOURCE. The
// same on both architectures.
#define HAWSER_O_PATH 010000000

// What is asked for.
enum hawser_names_verb { HAWSER_NAMES_BIND = 1, HAWSER_NAMES_UNBIND = 2 };
// What a request failed at.
enum hawser_names_step {
    HAWSER_NAMES_DONE = 0,      // nothing
    HAWSER_NAMES_REQUEST = 1,   // it isn't one
    HAWSER_NAMES_FOLDER = 2,    // the folder isn't the one of the start any more
    HAWSER_NAMES_FILE = 3,      // making the file, or taking it away
    HAWSER_NAMES_NAMESPACE = 4, // what is to be bound, or is there, is no network namespace
    HAWSER_NAMES_MOUNT = 5,     // the mount itself
};

struct hawser_names_request {
    uint32_t verb;
    char name[NAME_MAX + 1];
};

struct hawser_names_answer {
    int32_t error;
    enum hawser_names_step step;
};

// What the helper holds, by the numbers of its only descriptors: the socket, and the folder as it was at the
// start.
#define HAWSER_NAMES_SOCKET 0
#define HAWSER_NAMES_PINNED 1

// MARK: Filters and rights

// What the helper may call, and with what; all else is refused. It writes to no file.
static inline long hawser_names_confine(void) {
    struct sock_filter filter[] = {
        HAWSER_LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HAWSER_AUDIT_ARCH, 1, 0),
        HAWSER_RETURN(SECCOMP_RET_KILL_PROCESS),
        HAWSER_LOAD(offsetof(struct seccomp_data, nr)),
        HAWSER_ALWAYS(__NR_recvmsg),
        HAWSER_ALWAYS(__NR_sendmsg),
        HAWSER_ALWAYS(__NR_close),
        HAWSER_ALWAYS(__NR_fstat),
        HAWSER_ALWAYS(__NR_fstatfs),
        HAWSER_ALWAYS(__NR_unlinkat),
        HAWSER_ALWAYS(__NR_exit_group),
        HAWSER_WITHOUT(__NR_openat, 2, O_WRONLY | O_RDWR | O_TRUNC | O_APPEND),
        HAWSER_ONLY(__NR_ioctl, 1, NS_GET_NSTYPE),
        HAWSER_ONLY(__NR_mount, 3, MS_BIND),
        HAWSER_ONLY(__NR_umount2, 1, MNT_DETACH),
        HAWSER_REFUSE(EPERM),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    if (syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

// Keeps CAP_SYS_ADMIN, for mounts, and what a folder with unusual permissions wants; no others.
static inline void hawser_names_drop_rights(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(__NR_capget, &header, data) != 0) return;
    uint32_t kept = 1u << CAP_SYS_ADMIN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
    data[0].effective = data[0].permitted &= kept;
    data[1].effective = data[1].permitted = 0;
    data[0].inheritable = data[1].inheritable = 0;
    (void)syscall(__NR_capset, &header, data);
}

// MARK: Names

static inline int hawser_names_is_plain(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')
        || byte == '.' || byte == '_' || byte == '~' || byte == '-';
}

static inline int hawser_names_is_valid(const struct hawser_names_request *request) {
    const char *name = request->name;
    size_t length = 0;
    while (length <= NAME_MAX && name[length] != 0) length++;
    size_t prefix = sizeof(HAWSER_NAMES_PREFIX) - 1;
    if (length > NAME_MAX || length <= prefix) return 0;
    for (size_t index = 0; index < length; index++) {
        char byte = name[index];
        if (index < prefix ? byte != HAWSER_NAMES_PREFIX[index] : !hawser_names_is_plain(byte)) return 0;
    }
    return 1;
}

// A path that stands for an open file, exactly, whatever becomes of its name meanwhile: /proc/self/fd/N.
struct hawser_names_path {
    char text[32];
};

static inline struct hawser_names_path hawser_names_path_of(int descriptor) {
    struct hawser_names_path path = {"/proc/self/fd/"};
    char digits[12];
    size_t count = 0, end = 14;
    do {
        digits[count++] = (char)('0' + descriptor % 10);
        descriptor /= 10;
    } while (descriptor > 0);
    while (count > 0) path.text[end++] = digits[--count];
    path.text[end] = 0;
    return path;
}

// Fails with EINVAL for what isn't of nsfs, before anything is asked of it that another file would take for
// something else.
static inline int hawser_names_is_of_nsfs(int descriptor) {
    struct statfs status;
    if (syscall(__NR_fstatfs, descriptor, &status) != 0) return -1;
    if (status.f_type == 0x6e736673 /* NSFS_MAGIC, linux/magic.h */) return 0;
    errno = EINVAL;
    return -1;
}

static inline int hawser_names_is_network(int descriptor) {
    if (hawser_names_is_of_nsfs(descriptor) != 0) return -1;
    long type = syscall(__NR_ioctl, descriptor, NS_GET_NSTYPE);
    if (type == HAWSER_NETWORK_NAMESPACE) return 0;
    if (type >= 0) errno = EINVAL;
    return -1;
}

// MARK: Requests

// The folder by its path, for others mount it onto itself (`ip netns`), and names are to be where the path
// leads; but the one of the start, whatever was put in its place.
static inline int hawser_names_folder(const char *path) {
    struct stat pinned, there;
    int flags = HAWSER_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int folder = (int)syscall(__NR_openat, AT_FDCWD, path, flags);
    if (folder < 0) return -1;
    int result = 0;
    if (syscall(__NR_fstat, HAWSER_NAMES_PINNED, &pinned) != 0 || syscall(__NR_fstat, folder, &there) != 0) {
        result = errno;
    } else if (pinned.st_dev != there.st_dev || pinned.st_ino != there.st_ino) {
        result = ESTALE;
    }
    if (result == 0) return folder;
    (void)syscall(__NR_close, folder);
    errno = result;
    return -1;
}

// What failed, with errno.
static inline enum hawser_names_step hawser_names_bind(int folder, const char *name, int namespace_) {
    if (hawser_names_is_network(namespace_) != 0) return HAWSER_NAMES_NAMESPACE;
    // Made here and now: no link that somebody prepared is followed, and nothing is mounted over what was
    // there.
    int flags = O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int file = (int)syscall(__NR_openat, folder, name, flags, 0);
    if (file < 0) return HAWSER_NAMES_FILE;
    struct hawser_names_path from = hawser_names_path_of(namespace_), to = hawser_names_path_of(file);
    long result = syscall(__NR_mount, from.text, to.text, NULL, MS_BIND, NULL);
    int error = errno;
    (void)syscall(__NR_close, file);
    if (result == 0) return HAWSER_NAMES_DONE;
    (void)syscall(__NR_unlinkat, folder, name, 0);
    errno = error;
    return HAWSER_NAMES_MOUNT;
}

static inline enum hawser_names_step hawser_names_unbind(int folder, const char *name) {
    int there = (int)syscall(__NR_openat, folder, name, HAWSER_O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (there < 0) return HAWSER_NAMES_FILE;
    struct hawser_names_path path = hawser_names_path_of(there);
    enum hawser_names_step step = HAWSER_NAMES_NAMESPACE;
    // Only what is of nsfs is opened at all.
    int opened = -1;
    if (hawser_names_is_of_nsfs(there) == 0) {
        opened = (int)syscall(__NR_openat, AT_FDCWD, path.text, O_RDONLY | O_CLOEXEC);
    }
    int error = opened >= 0 && hawser_names_is_network(opened) == 0 ? 0 : errno;
    if (opened >= 0) (void)syscall(__NR_close, opened);
    if (error == 0) {
        step = HAWSER_NAMES_MOUNT;
        error = syscall(__NR_umount2, path.text, MNT_DETACH) == 0 ? 0 : errno;
    }
    (void)syscall(__NR_close, there);
    if (error == 0) {
        step = HAWSER_NAMES_FILE;
        error = syscall(__NR_unlinkat, folder, name, 0) == 0 ? 0 : errno;
    }
    errno = error;
    return error == 0 ? HAWSER_NAMES_DONE : step;
}

static inline struct hawser_names_answer hawser_names_judge(
    const char *path, const struct hawser_names_request *request, long length, int descriptor) {
    enum hawser_names_step step = HAWSER_NAMES_REQUEST;
    errno = EINVAL;
    int is_bind = request->verb == HAWSER_NAMES_BIND && descriptor >= 0;
    int is_unbind = request->verb == HAWSER_NAMES_UNBIND && descriptor < 0;
    if (length == (long)sizeof(*request) && (is_bind || is_unbind) && hawser_names_is_valid(request)) {
        int folder = hawser_names_folder(path);
        step = HAWSER_NAMES_FOLDER;
        if (folder >= 0) {
            step = is_bind ? hawser_names_bind(folder, request->name, descriptor)
                           : hawser_names_unbind(folder, request->name);
            int error = errno;
            (void)syscall(__NR_close, folder);
            errno = error;
        }
    }
    return (struct hawser_names_answer){.error = step == HAWSER_NAMES_DONE ? 0 : errno, .step = step};
}

// Answers one request; -1 at the end of the socket.
static inline int hawser_names_serve(const char *path) {
    struct hawser_names_request request;
    memset(&request, 0, sizeof(request));
    struct iovec part = {.iov_base = &request, .iov_len = sizeof(request)};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof(control));
    // Room for one descriptor: the kernel keeps what is beyond (unix(7)), and says so.
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = CMSG_LEN(sizeof(int));
    long length = syscall(__NR_recvmsg, HAWSER_NAMES_SOCKET, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR) return 0;
    if (length <= 0) return -1;
    int descriptor = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
        && header->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) length = 0;
    struct hawser_names_answer answer = hawser_names_judge(path, &request, length, descriptor);
    if (descriptor >= 0) (void)syscall(__NR_close, descriptor);
    struct iovec words = {.iov_base = &answer, .iov_len = sizeof(answer)};
    struct msghdr reply = {.msg_iov = &words, .msg_iovlen = 1};
    while (syscall(__NR_sendmsg, HAWSER_NAMES_SOCKET, &reply, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return -1;
    }
    return 0;
}

// MARK: The process

// The child's part. It ends with the thread that forked it, with the last holder of the socket's other end,
// or with a signal.
static inline void hawser_names_live(int socket_, int folder, const char *path, pid_t parent) {
    hawser_names_drop_rights();
    // Not to be looked into, nor written to, by processes of the same user (ptrace(2), "Ptrace access mode
    // checking"): the daemon first.
    (void)syscall(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if ((pid_t)syscall(__NR_getppid) != parent) syscall(__NR_exit_group, 0);
    (void)syscall(__NR_prctl, PR_SET_NAME, HAWSER_NAMES_TITLE, 0, 0, 0);
    // Both are above the two places that they go to (`hawser_names_begin`).
    if (syscall(__NR_dup3, socket_, HAWSER_NAMES_SOCKET, O_CLOEXEC) < 0) syscall(__NR_exit_group, 1);
    if (syscall(__NR_dup3, folder, HAWSER_NAMES_PINNED, O_CLOEXEC) < 0) syscall(__NR_exit_group, 1);
    // close_range(2), Linux 5.9; before, as many as a process has that has just begun.
    if (syscall(436, HAWSER_NAMES_PINNED + 1, ~0U, 0) != 0) {
        for (int other = HAWSER_NAMES_PINNED + 1; other < 1 << 16; other++) (void)syscall(__NR_close, other);
    }
    // A kernel without filters has a helper without one, as it has a daemon without one.
    (void)hawser_names_confine();
    while (hawser_names_serve(path) == 0) {}
    syscall(__NR_exit_group, 0);
}
