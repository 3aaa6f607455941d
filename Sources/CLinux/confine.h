#pragma once
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define HAWSER_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define HAWSER_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "the filter of system calls doesn't know this architecture"
#endif

// Both architectures are little-endian: the lower half of an argument comes first.
#define HAWSER_LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define HAWSER_LOAD_ARGUMENT(number) HAWSER_LOAD(offsetof(struct seccomp_data, args[number]))
#define HAWSER_RETURN(verdict) BPF_STMT(BPF_RET | BPF_K, (verdict))
#define HAWSER_REFUSE(error) HAWSER_RETURN(SECCOMP_RET_ERRNO | (error))
// `call` is refused.
#define HAWSER_NEVER(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), HAWSER_REFUSE(EPERM)
// `call` is allowed.
#define HAWSER_ALWAYS(call)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), HAWSER_RETURN(SECCOMP_RET_ALLOW)
// `call` is refused unless an argument is `value`.
#define HAWSER_ONLY(call, number, value)                                                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4), HAWSER_LOAD_ARGUMENT(number),                           \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), HAWSER_RETURN(SECCOMP_RET_ALLOW), HAWSER_REFUSE(EPERM)
// `call` is allowed unless an argument has one of `bits`.
#define HAWSER_WITHOUT(call, number, bits)                                                                   \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4), HAWSER_LOAD_ARGUMENT(number),                         \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 1, 0), HAWSER_RETURN(SECCOMP_RET_ALLOW),                \
        HAWSER_REFUSE(EPERM)

// CLONE_NEW… of linux/sched.h, without the network's, which is 0x40000000.
#define HAWSER_OTHER_NAMESPACES (0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000)
#define HAWSER_NETWORK_NAMESPACE 0x40000000

// The first system call that isn't judged by itself. It is open_tree_attr(2), Linux 6.15, by which what is
// mounted read-only is writable in a copy. Numbers from 424 on are the same on both architectures; those of
// x32, which x86-64 has besides, are all above.
#define HAWSER_FIRST_UNKNOWN 467

// From now on no thread of this process can do what the daemon never does and CAP_SYS_ADMIN would let it
// (seccomp(2)). 0, or -1 with errno.
static inline int hawser_confine(void) {
    struct sock_filter filter[] = {
        HAWSER_LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HAWSER_AUDIT_ARCH, 1, 0),
        HAWSER_RETURN(SECCOMP_RET_KILL_PROCESS),
        HAWSER_LOAD(offsetof(struct seccomp_data, nr)),
        // A new call of the kernel's is none of the daemon's, and may be another way to do what is refused
        // below. To those who ask for one it is as on an older kernel.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, HAWSER_FIRST_UNKNOWN, 0, 1),
        HAWSER_REFUSE(ENOSYS),
        // Nothing is mounted or unmounted: what is read-only or hidden is so by a mount, and shows itself
        // without it (names.h).
        HAWSER_NEVER(__NR_mount),
        HAWSER_NEVER(__NR_umount2),
        HAWSER_ONLY(__NR_unshare, 0, HAWSER_NETWORK_NAMESPACE),
        HAWSER_ONLY(__NR_setns, 1, HAWSER_NETWORK_NAMESPACE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4),
        HAWSER_LOAD_ARGUMENT(0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, HAWSER_OTHER_NAMESPACES, 1, 0),
        HAWSER_RETURN(SECCOMP_RET_ALLOW),
        HAWSER_REFUSE(EPERM),
        // Its flags are in memory, where a filter can't look; the C library takes clone(2) instead.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1),
        HAWSER_REFUSE(ENOSYS),
        // It starts no program,
        HAWSER_NEVER(__NR_execve),
        HAWSER_NEVER(__NR_execveat),
        // looks into no other process,
        HAWSER_NEVER(__NR_ptrace),
        HAWSER_NEVER(__NR_process_vm_readv),
        HAWSER_NEVER(__NR_process_vm_writev),
        HAWSER_NEVER(438 /* pidfd_getfd */),
        // mounts nothing in the new way, nor opens files by number,
        HAWSER_NEVER(__NR_open_tree),
        HAWSER_NEVER(__NR_move_mount),
        HAWSER_NEVER(__NR_fsopen),
        HAWSER_NEVER(__NR_fsconfig),
        HAWSER_NEVER(__NR_fspick),
        HAWSER_NEVER(__NR_fsmount),
        HAWSER_NEVER(442 /* mount_setattr */),
        HAWSER_NEVER(__NR_pivot_root),
        HAWSER_NEVER(__NR_chroot),
        HAWSER_NEVER(__NR_open_by_handle_at),
        // and leaves the kernel and the machine as they are.
        HAWSER_NEVER(__NR_init_module),
        HAWSER_NEVER(__NR_finit_module),
        HAWSER_NEVER(__NR_delete_module),
        HAWSER_NEVER(__NR_kexec_load),
        HAWSER_NEVER(__NR_kexec_file_load),
        HAWSER_NEVER(__NR_reboot),
        HAWSER_NEVER(__NR_swapon),
        HAWSER_NEVER(__NR_swapoff),
        HAWSER_NEVER(__NR_acct),
        HAWSER_NEVER(__NR_quotactl),
        HAWSER_NEVER(443 /* quotactl_fd */),
        HAWSER_NEVER(__NR_syslog),
        HAWSER_NEVER(__NR_sethostname),
        HAWSER_NEVER(__NR_setdomainname),
        HAWSER_NEVER(__NR_settimeofday),
        HAWSER_NEVER(__NR_clock_settime),
        HAWSER_NEVER(__NR_adjtimex),
        HAWSER_NEVER(__NR_clock_adjtime),
        HAWSER_NEVER(__NR_bpf),
        HAWSER_NEVER(__NR_perf_event_open),
        HAWSER_NEVER(__NR_userfaultfd),
        HAWSER_NEVER(__NR_add_key),
        HAWSER_NEVER(__NR_request_key),
        HAWSER_NEVER(__NR_keyctl),
#if defined(__x86_64__)
        HAWSER_NEVER(__NR_iopl),
        HAWSER_NEVER(__NR_ioperm),
#endif
        HAWSER_RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    // Without it the kernel asks for CAP_SYS_ADMIN; and nobody's set-user-ID program is to be run anyway.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0 ? 0 : -1;
}
