"""Tries what a unit's sandbox must forbid, and a few things that it must not; a line for each: what, and how the kernel refused it.

Three kinds: what the unit forbids; what it can't, because the daemon's helper needs it, and the daemon takes
from itself ("confined"); what both allow. With CONFINE, a library with a function `confine`, the process
confines itself first, as the daemon does.

Arguments are such that nothing happens where the kernel lets it: a wrong pointer, or a number that doesn't
exist, is complained of later than a missing right. But what opens the sandbox is really tried, where there is
one (SANDBOXED). EPERM, EACCES, EROFS, ENOENT of a hidden file and ENOSYS are refusals; anything else is not.
"""

import ctypes
import errno
import os
import re
import socket

libc = ctypes.CDLL(None, use_errno=True)
REFUSALS = {errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOSYS}
NUMBERS = dict(re.findall(r"(\w+)=(\d+)", os.environ.get("NUMBERS", "")))


def call(name, *arguments):
    number = int(NUMBERS[name])
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), name)


def libc_call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments)) < 0:
        raise OSError(ctypes.get_errno(), str(number))


def write(path):
    flags = os.O_WRONLY if os.path.exists(path) else os.O_WRONLY | os.O_CREAT
    os.close(os.open(path, flags, 0o600))


def list_folder(path):
    os.listdir(path)


def family(number, kind=socket.SOCK_RAW, protocol=0):
    socket.socket(number, kind, protocol).close()


def bind_low():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 80))


AT_FDCWD, MS_REMOUNT, MS_BIND, MNT_DETACH, OPEN_TREE_CLONE, AT_EMPTY_PATH = -100, 32, 4096, 2, 1, 0x1000
SETTINGS, SETTING = b"/proc/sys", "kernel/core_pattern"
SANDBOXED = "SANDBOXED" in os.environ


def address(value):
    return ctypes.cast(value, ctypes.c_void_p).value


def unmount(flags):
    call("umount2", address(ctypes.c_char_p(SETTINGS)) if SANDBOXED else 0, flags)


def remount():
    path = address(ctypes.c_char_p(SETTINGS)) if SANDBOXED else 0
    call("mount", 0, path, 0, MS_REMOUNT | MS_BIND, 0)


def bind():
    # On itself: what is below is hidden by nothing but itself.
    path = address(ctypes.c_char_p(SETTINGS)) if SANDBOXED else 0
    call("mount", path, path, 0, MS_BIND, 0)


def open_copy(number):
    """A copy of the settings, mounted nowhere, in which nothing is read-only: by one call, or by two."""
    attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
    path = address(ctypes.c_char_p(SETTINGS))
    if number is None:
        copy = libc.syscall(int(NUMBERS.get("open_tree", 428)), AT_FDCWD, path_of(path), OPEN_TREE_CLONE)
        empty = path_of(address(ctypes.c_char_p(b"")))
        if copy >= 0 and libc.syscall(442, copy, empty, AT_EMPTY_PATH, attributes, 32) < 0:
            raise OSError(ctypes.get_errno(), "mount_setattr")
    else:
        copy = libc.syscall(number, AT_FDCWD, path_of(path), OPEN_TREE_CLONE, attributes, 32)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "open_tree")
    # Opened and closed: nothing is written.
    os.close(os.open(SETTING, os.O_WRONLY, dir_fd=copy))


def path_of(pointer):
    return ctypes.c_void_p(pointer)


FORBIDDEN = {
    "write /etc": lambda: write("/etc/hawser-was-here"),
    "write /usr": lambda: write("/usr/hawser-was-here"),
    "write /var/lib": lambda: write("/var/lib/hawser-was-here"),
    "write /run": lambda: write("/run/hawser-was-here"),
    "write the kernel's settings": lambda: write("/proc/sys/kernel/core_pattern"),
    "write sysrq": lambda: write("/proc/sysrq-trigger"),
    "write /sys": lambda: write("/sys/kernel/uevent_helper" if os.path.exists("/sys/kernel/uevent_helper") else "/sys/kernel/x"),
    "see modules": lambda: os.stat("/usr/lib/modules/.") and list_folder("/usr/lib/modules"),
    "open /dev/kmsg": lambda: os.close(os.open("/dev/kmsg", os.O_RDONLY)),
    "open /dev/mem": lambda: os.close(os.open("/dev/mem", os.O_RDONLY)),
    "trace a process": lambda: call("ptrace", 16, 999999999, 0, 0),
    "read another process": lambda: call("process_vm_readv", 999999999, 0, 0, 0, 0, 0),
    "load a module": lambda: call("init_module", 0, 0, 0),
    "load a module's file": lambda: call("finit_module", -1, 0, 0),
    "remove a module": lambda: call("delete_module", 0, 0),
    "load a kernel": lambda: call("kexec_load", 0, 1 << 40, 0, 1 << 60),
    "reboot": lambda: call("reboot", 1, 2, 3, 0),
    "set the clock": lambda: call("clock_settime", 999, 0),
    "set the host's name": lambda: call("sethostname", 0, 1 << 20),
    "swap": lambda: call("swapon", 0, 0),
    "read the kernel's log": lambda: call("syslog", 3, 0, 0),
    "a user namespace": lambda: call("unshare", 0x10000000 | 0x40000000000),
    "a mount namespace": lambda: call("unshare", 0x20000 | 0x40000000000),
    "a process namespace": lambda: call("unshare", 0x20000000 | 0x40000000000),
    "another's mount namespace": lambda: call("setns", -1, 0x20000),
    "whichever namespace": lambda: call("setns", -1, 0),
    "change the root": lambda: call("pivot_root", 0, 0),
    "chroot": lambda: call("chroot", 0),
    "mount in the new way": lambda: call("fsopen", 0, 0),
    "open by number": lambda: call("open_by_handle_at", -1, 0, 0),
    "a program for the kernel": lambda: call("bpf", 999, 0, 0),
    "events of the processor": lambda: call("perf_event_open", 0, -1, -1, -1, 0),
    "faults in user space": lambda: call("userfaultfd", 1 << 30),
    "a key": lambda: call("add_key", 0, 0, 0, 0, 0),
    "input and output in advance": lambda: call("io_setup", 0, 0),
    "lock memory": lambda: call("mlock", 1, 1 << 60),
    "become another": lambda: call("setuid", -1),
    "writable code": lambda: call("mmap", 0, 4096, 7, 2, -1, 0),
    "another personality": lambda: call("personality", 8),
    "a nice level below -4": lambda: call("setpriority", 0, 0, -5),
    "real time": lambda: call("sched_setscheduler", 999999999, 1, 0),
    "set-user-ID": lambda: call("fchmodat", -1, 0, 0o4755),
    "packet sockets": lambda: family(17),
    "vsock sockets": lambda: family(40, socket.SOCK_STREAM),
    "raw sockets": lambda: family(2, protocol=1),
    "a low port": bind_low,
    "give a file away": lambda: os.chown(os.environ["OWN"], 65534, 65534),
    "a device": lambda: os.mknod(os.path.join(os.environ["OWN"], "device"), 0o060600, os.makedev(1, 1)),
    "write another's file": lambda: os.close(os.open(os.environ["OTHERS"], os.O_WRONLY)),
    "write the helper's memory": lambda: os.close(os.open(f"/proc/{os.environ['HELPER']}/mem", os.O_RDWR)),
    "see the helper's files": lambda: os.close(os.open(f"/proc/{os.environ['HELPER']}/fd/1", os.O_PATH)),
    "another's mount namespace as one of the network": lambda: call("setns", -1, 0x40020000),
    "a mount namespace beside one of the network": lambda: call("unshare", 0x40020000 | 0x40000000000),
    # With CLONE_FS, which doesn't go with it (clone(2)).
    "a process in another mount namespace": lambda: call("clone", 0x20000 | 0x200, 0, 0, 0, 0),
    "move a mount": lambda: call("move_mount", -1, 0, -1, 0, 0),
    "take a tree of mounts": lambda: call("open_tree", -1, 0, 1 << 20),
    "configure a file system": lambda: call("fsconfig", -1, 0, 0, 0, 0),
    "pick a file system": lambda: call("fspick", -1, 0, 1 << 20),
    "mount a file system that is open": lambda: call("fsmount", -1, 0, 0),
    "change a mount's flags": lambda: libc_call(442, -1, 0, 1 << 20, 0, 0),
    "a writable copy of the settings": lambda: open_copy(None),
    "a writable copy of the settings, by a new call": lambda: open_copy(467),
    "take another's open file": lambda: libc_call(438, -1, -1, 1),
}
# What the unit lets pass; the last that are tried, for nothing is read-only after them.
CONFINED = {
    "a process by flags that nobody can judge": lambda: call("clone3", 0, 0),
    "mount": lambda: call("mount", 0, 0, 0, 0, 0),
    "bind": bind,
    "remount": remount,
    "unmount": lambda: unmount(0),
    "unmount what is in use": lambda: unmount(MNT_DETACH),
    "unmount it once more": lambda: unmount(MNT_DETACH),
    "write the settings that were unmounted": lambda: write("/proc/sys/" + SETTING),
}
ALLOWED = {
    "write the state": lambda: write(os.path.join(os.environ["OWN"], "written")),
    "write the network's settings": lambda: write("/proc/sys/net/ipv4/ip_forward"),
    "read another's file": lambda: os.close(os.open(os.environ["OTHERS"], os.O_RDONLY)),
    "netlink": lambda: family(16),
    "libdispatch's nice level": lambda: call("setpriority", 0, 0, -4),
    "a network namespace": lambda: call("unshare", 0x40000000),
    "connect": lambda: socket.socket().close(),
}


def main():
    if "CONFINE" in os.environ and ctypes.CDLL(os.environ["CONFINE"]).confine() != 0:
        raise OSError("it can't be confined")
    # sandbox.py's way to know them, which needs a compiler: asked for before, outside.
    for title, tries in (("forbidden", FORBIDDEN), ("allowed", ALLOWED), ("confined", CONFINED)):
        for name, attempt in tries.items():
            try:
                attempt()
                outcome = "done"
            except OSError as error:
                outcome = errno.errorcode[error.errno]
                if error.errno in REFUSALS:
                    outcome = "refused " + outcome
            except KeyError as error:
                outcome = f"unknown {error}"
            print(f"{title}: {name}: {outcome}", flush=True)


main()
