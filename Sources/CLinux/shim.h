// What glibc hides behind _GNU_SOURCE or doesn't wrap. The functions are declared here, for defining _GNU_SOURCE in one
// module makes its libc types clash with every other module's.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

extern int setns(int descriptor, int type);
extern int unshare(int flags);
extern int pipe2(int ends[2], int flags);

// linux/sched.h
enum {
    HAWSER_CLONE_NEWNS = 0x00020000,
    HAWSER_CLONE_NEWUSER = 0x10000000,
    HAWSER_CLONE_NEWPID = 0x20000000,
    HAWSER_CLONE_NEWNET = 0x40000000,
};

// linux/magic.h
enum {
    HAWSER_NSFS_MAGIC = 0x6e736673,
    HAWSER_PROC_SUPER_MAGIC = 0x9fa0,
};

// The type of the namespace that an nsfs file names: CLONE_NEWNET and so on (ioctl_ns(2)).
static inline int hawser_namespace_type(int descriptor) { return ioctl(descriptor, NS_GET_NSTYPE); }

// A new descriptor of the network namespace that a socket belongs to, or -1 with errno (SIOCGSKNS, linux/sockios.h; Linux 4.10).
static inline int hawser_socket_namespace(int socket) { return ioctl(socket, SIOCGSKNS); }

// Makes every thread of the system pass a memory barrier, or of this process only; 0 or -1 with errno (membarrier(2)).
static inline int hawser_membarrier(int command, unsigned int flags) {
    return (int)syscall(SYS_membarrier, command, flags, 0);
}

// open(2) of a file that exists, which is variadic and doesn't import.
static inline int hawser_open(const char *path, int flags) { return open(path, flags); }

// Opens what a path leads to if that is a file of nsfs, which namespaces are; -1 with EINVAL, and not opened, if it is anything else: to open a
// device or a pipe is to do something to it (open(2), O_PATH).
static inline int hawser_open_namespace(const char *path) {
    int place = open(path, __O_PATH | O_CLOEXEC);
    if (place < 0) return -1;
    struct statfs system;
    char name[32];
    int file = -1, error = EINVAL;
    if (fstatfs(place, &system) != 0) {
        error = errno;
    } else if (system.f_type == HAWSER_NSFS_MAGIC) {
        snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", place);
        file = open(name, O_RDONLY | O_CLOEXEC);
        error = errno;
    }
    close(place);
    errno = error;
    return file;
}

// Makes reading and writing never wait; fcntl(2) is variadic and doesn't import.
static inline int hawser_nonblocking(int descriptor) { return fcntl(descriptor, F_SETFL, O_NONBLOCK); }

// Gives memory that is free back to the system (malloc_trim(3)).
static inline void hawser_trim(void) { (void)malloc_trim(0); }

// errno of the calling thread; the macro itself doesn't import.
static inline int hawser_errno(void) { return errno; }

// The calling thread's id (gettid(2)).
static inline pid_t hawser_thread(void) { return (pid_t)syscall(SYS_gettid); }

// The processors that the calling thread may run on, a bit each: bytes written, or -1 with errno (sched_setaffinity(2)).
static inline int hawser_get_processors(unsigned char *mask, unsigned long size) {
    return (int)syscall(SYS_sched_getaffinity, 0, size, mask);
}
static inline int hawser_set_processors(const unsigned char *mask, unsigned long size) {
    return (int)syscall(SYS_sched_setaffinity, 0, size, mask);
}

// The processor that the calling thread runs on, or -1 with errno (getcpu(2)).
static inline int hawser_processor(void) {
    unsigned int number = 0;
    return syscall(SYS_getcpu, &number, NULL, NULL) == 0 ? (int)number : -1;
}

// A socket option whose value is an int; 0 or -1 with errno.
static inline int hawser_set_option(int descriptor, int level, int option, int value) {
    return setsockopt(descriptor, level, option, &value, sizeof(value));
}

// An int-valued socket option, or -1 with errno.
static inline int hawser_get_option(int descriptor, int level, int option) {
    int value = 0;
    socklen_t length = sizeof(value);
    return getsockopt(descriptor, level, option, &value, &length) == 0 ? value : -1;
}

// Whom the kernel names as the other side of a Unix socket (SO_PEERCRED, unix(7)).
struct hawser_peer {
    pid_t process;
    uid_t user;
    gid_t group;
};

// 0, or -1 with errno.
static inline int hawser_peer_credentials(int descriptor, struct hawser_peer *peer) {
    socklen_t length = sizeof(*peer);
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, peer, &length);
}
