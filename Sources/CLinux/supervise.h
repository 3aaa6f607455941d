// A program whose chosen system calls wait for what another says about each (seccomp_unotify(2)). Numbers and plain buffers only, so that
// Swift fills no union.
#pragma once

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// One call that waits.
struct hawser_call {
    uint64_t id;
    uint64_t arguments[6];
    pid_t thread;
    int number;
};

// What a child and its parent say to each other before the child becomes the program: in memory, for any call may be one that waits.
struct hawser_handshake {
    volatile int listener;
    volatile int go;
};

// The child's part, between fork and exec: nothing here takes a lock.
static inline void hawser_become(
    char *const words[], char *const environment[], const int files[3], struct sock_fprog *filter, struct hawser_handshake *handshake) {
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 0; number < 3; number++) {
        if (dup2(files[number], number) < 0) _exit(126);
    }
    // Without it only root of a user namespace may have a filter.
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, filter);
    __atomic_store_n(&handshake->listener, listener < 0 ? -2 : listener, __ATOMIC_RELEASE);
    // The listener is closed by exec; until the other end has its own, exec must wait.
    while (__atomic_load_n(&handshake->go, __ATOMIC_ACQUIRE) == 0) (void)sched_yield();
    execve(words[0], words, environment);
    _exit(127);
}

// Starts a program, by its path, whose calls of these numbers (`SYS_…`) wait; the descriptor that tells of them, or -1 with errno.
static inline int hawser_supervise(
    char *const words[], char *const environment[], const int files[3], const int *numbers, int count, pid_t *process) {
    enum { longest = 64 };
    struct sock_filter code[longest + 3];
    if (count > longest) {
        errno = EINVAL;
        return -1;
    }
    unsigned short length = 0;
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int index = 0; index < count; index++) {
        // Each that is one of them jumps over those that are left, and over what lets all others be.
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)numbers[index], count - index, 0);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog filter = {length, code};

    struct hawser_handshake *handshake =
        (struct hawser_handshake *)mmap(NULL, sizeof(*handshake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (handshake == MAP_FAILED) return -1;
    handshake->listener = -1;
    handshake->go = 0;
    int result = -1;
    pid_t child = fork();
    if (child == 0) hawser_become(words, environment, files, &filter, handshake);
    if (child > 0) {
        int there;
        while ((there = __atomic_load_n(&handshake->listener, __ATOMIC_ACQUIRE)) == -1) (void)sched_yield();
        int handle = there < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
        if (handle >= 0) {
            result = (int)syscall(SYS_pidfd_getfd, handle, there, 0);
            int problem = errno;
            (void)close(handle);
            errno = problem;
        }
        int problem = errno;
        if (result < 0) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, NULL, 0);
        }
        __atomic_store_n(&handshake->go, 1, __ATOMIC_RELEASE);
        errno = problem;
        *process = child;
    }
    (void)munmap(handshake, sizeof(*handshake));
    return result;
}

// Waits for a call; 1, 0 when the program has ended, or -1 with errno (ENOENT: whoever called is gone).
static inline int hawser_await_call(int listener, struct hawser_call *call) {
    struct pollfd entry = {listener, POLLIN, 0};
    if (poll(&entry, 1, -1) < 0) return -1;
    if ((entry.revents & POLLIN) == 0) return 0;
    struct seccomp_notif notice;
    memset(&notice, 0, sizeof(notice));
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0) return -1;
    call->id = notice.id;
    call->thread = (pid_t)notice.pid;
    call->number = notice.data.nr;
    memcpy(call->arguments, notice.data.args, sizeof(call->arguments));
    return 1;
}

// Lets a call go on as if nobody had looked; 0, or -1 with errno.
static inline int hawser_let_go(int listener, uint64_t id) {
    struct seccomp_notif_resp answer;
    memset(&answer, 0, sizeof(answer));
    answer.id = id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

// Answers a call in the kernel's place: with a value, or with an error (its number, above 0); 0, or -1 with errno.
static inline int hawser_answer(int listener, uint64_t id, int64_t value, int error) {
    struct seccomp_notif_resp answer;
    memset(&answer, 0, sizeof(answer));
    answer.id = id;
    answer.val = error == 0 ? value : 0;
    answer.error = -error;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

// Another's memory (process_vm_readv(2)); bytes, or -1 with errno.
static inline long hawser_peek(pid_t process, uint64_t address, void *bytes, unsigned long count) {
    struct iovec here = {bytes, count};
    struct iovec there = {(void *)(uintptr_t)address, count};
    // The sixth goes by the stack (syscall(2)): an int would leave half of it to chance.
    return syscall(SYS_process_vm_readv, process, &here, 1UL, &there, 1UL, 0UL);
}
static inline long hawser_poke(pid_t process, uint64_t address, const void *bytes, unsigned long count) {
    struct iovec here = {(void *)(uintptr_t)bytes, count};
    struct iovec there = {(void *)(uintptr_t)address, count};
    return syscall(SYS_process_vm_writev, process, &here, 1UL, &there, 1UL, 0UL);
}

// A descriptor of another's, as one of our own; or -1 with errno (pidfd_getfd(2)).
static inline int hawser_borrow(pid_t process, int descriptor) {
    int handle = (int)syscall(SYS_pidfd_open, process, 0);
    if (handle < 0) return -1;
    int result = (int)syscall(SYS_pidfd_getfd, handle, descriptor, 0);
    int problem = errno;
    (void)close(handle);
    errno = problem;
    return result;
}

// Makes a system call that only its number tells, with six arguments; its error number, or 0.
static inline int hawser_call(long number, const long *arguments) {
    const long *a = arguments;
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return result < 0 ? errno : 0;
}

// The number of a system call on this machine, or -1 for one that it doesn't have: newer architectures have the *at calls alone.
static inline int hawser_call_number(const char *name) {
    static const struct {
        const char *name;
        int number;
    } calls[] = {
        {"sendto", SYS_sendto},       {"recvfrom", SYS_recvfrom},   {"sendmsg", SYS_sendmsg},     {"socket", SYS_socket},
        {"write", SYS_write},         {"pread64", SYS_pread64},     {"pwrite64", SYS_pwrite64},   {"fdatasync", SYS_fdatasync},
        {"fsync", SYS_fsync},         {"ftruncate", SYS_ftruncate}, {"renameat2", SYS_renameat2}, {"unlinkat", SYS_unlinkat},
        {"mkdirat", SYS_mkdirat},     {"mount", SYS_mount},         {"umount2", SYS_umount2},     {"unshare", SYS_unshare},
        {"setns", SYS_setns},         {"membarrier", SYS_membarrier}, {"ppoll", SYS_ppoll},       {"openat", SYS_openat},
#ifdef SYS_rename
        {"rename", SYS_rename},       {"unlink", SYS_unlink},       {"mkdir", SYS_mkdir},         {"poll", SYS_poll},
#endif
    };
    for (unsigned long index = 0; index < sizeof(calls) / sizeof(calls[0]); index++) {
        if (strcmp(calls[index].name, name) == 0) return calls[index].number;
    }
    return -1;
}
