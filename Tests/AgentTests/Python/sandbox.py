"""Runs a program as a unit of systemd's says, without systemd: what of the unit's sandbox the kernel has to do is done by the same calls.

    sandbox.py UNIT [--bind SOURCE:TARGET ...] [--group NUMBER] -- PROGRAM [ARGUMENT ...]

Done: the mount namespace (ProtectSystem=strict, ReadWritePaths, State-, Runtime- and ConfigurationDirectory, PrivateTmp, PrivateDevices,
ProtectHome, ProtectKernelTunables, -Modules, -Logs, ProtectControlGroups), the capability bounding set, NoNewPrivileges, the filters of system
calls (SystemCallFilter with the sets of the installed systemd-analyze, SystemCallArchitectures, RestrictNamespaces, RestrictAddressFamilies,
MemoryDenyWriteExecute, RestrictRealtime, RestrictSUIDSGID, LockPersonality, ProtectClock, ProtectHostname and what goes with the above),
UMask, LimitNOFILE, LimitNICE. Not done: cgroups (TasksMax, the device list), the watchdog, the descriptor store;
those are systemd's own.

--bind puts a folder of the test's in the place of one of the unit's own.
"""

import ctypes
import os
import re
import resource
import struct
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_SLAVE = 1, 2, 4, 8, 32, 4096, 8192, 16384, 1 << 19
CLONE_NEWNS, CLONE_NEWUTS = 0x20000, 0x4000000
# CLONE_NEW… of RestrictNamespaces' words.
NAMESPACES = {"mnt": CLONE_NEWNS, "uts": CLONE_NEWUTS, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
              "cgroup": 0x2000000}
CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
    NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
    CHECKPOINT_RESTORE""".split()
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


def check(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags, data=None):
    check(libc.mount(*(text.encode() if text else None for text in (source, target, kind)), ctypes.c_ulong(flags),
                     data.encode() if data else None), f"mount {target}")


def unit(path):
    """The settings of [Service]: each key's values in order."""
    settings, section = {}, ""
    for line in open(path):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] not in "#;":
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


class Unit:
    def __init__(self, path):
        self.settings = unit(path)
        # The lowest nice level that the unit allows and the kernel here doesn't.
        self.unraised = None

    def words(self, key):
        return [word for value in self.settings.get(key, []) for word in value.split()]

    def says(self, key):
        return self.settings.get(key, ["no"])[-1] in ("yes", "strict", "true")


# The mount namespace.

def mounts():
    """Mount points, the outer ones first."""
    with open("/proc/self/mountinfo") as file:
        points = [line.split()[4].replace("\\040", " ") for line in file]
    return sorted(set(points), key=lambda point: point.count("/") if point != "/" else 0)


def below(path, tops):
    return any(path == top or path.startswith(top.rstrip("/") + "/") for top in tops)


def read_only(path):
    try:
        # Flags that a mount has can't be taken away in a user namespace, so they are given again (mount_namespaces(7)).
        flags = os.statvfs(path).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
        mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
    except OSError as error:
        # One that another covers isn't to be reached: ENOENT, EACCES, EINVAL.
        if error.errno not in (2, 13, 22):
            raise


def hide(path, needed={}, mode="0000"):
    """Puts an empty folder in its place, but for the folders that the program itself is in: a clone may be anywhere."""
    if os.path.isdir(path):
        mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=" + ("0755" if any(below(folder, [path]) for folder in needed) else mode))
        for folder, source in needed.items():
            if below(folder, [path]):
                os.makedirs(folder, exist_ok=True)
                mount(f"/proc/self/fd/{source}", folder, None, MS_BIND)
    elif os.path.exists(path):
        mount("/dev/null", path, None, MS_BIND)


def folders(program):
    """Where a program and its libraries are, each held open."""
    try:
        text = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    except OSError:
        text = ""
    paths = {os.path.dirname(os.path.realpath(path)) for path in [program] + re.findall(r"=> (/\S+)", text)}
    # What is tried inside is Python, too.
    paths |= {sys.prefix, sys.base_prefix}
    return {path: os.open(path, os.O_PATH) for path in paths}


def confine_files(unit, binds, program):
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    needed = folders(program)
    writable = ["/dev", "/proc", "/sys", "/tmp", "/var/tmp"]
    sources = {target: os.open(source, os.O_PATH) for source, target in binds}
    if unit.says("PrivateDevices"):
        devices()
    # Where the unit's own folders are: nothing of the host's is to be made for a test.
    mount("tmpfs", "/var/lib", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    for target, source in sources.items():
        os.makedirs(target, exist_ok=True)
        mount(f"/proc/self/fd/{source}", target, None, MS_BIND)
    writable += [f"/var/lib/{name}" for name in unit.words("StateDirectory")] + [f"/run/{name}" for name in unit.words("RuntimeDirectory")]
    for word in unit.words("ReadWritePaths"):
        path = word.lstrip("-")
        if os.path.isdir(path):
            mount(path, path, None, MS_BIND | MS_REC)
            writable.append(path)
        elif not word.startswith("-"):
            raise OSError(2, f"{path} isn't there")
    if unit.says("ProtectKernelTunables"):
        for path in ("/proc/sys", "/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"):
            if os.path.exists(path) and path != "/sys":
                mount(path, path, None, MS_BIND | MS_REC)
        writable.remove("/sys")
    if unit.says("PrivateTmp"):
        for path in ("/tmp", "/var/tmp"):
            hide(path, needed, "1777")
    if unit.says("ProtectHome"):
        for path in ("/home", "/root", "/run/user"):
            hide(path, needed)
    if unit.says("ProtectKernelModules"):
        hide("/usr/lib/modules")
    if unit.says("ProtectKernelLogs"):
        hide("/proc/kmsg")
    tunables = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"] if unit.says("ProtectKernelTunables") else []
    if unit.settings.get("ProtectSystem") == ["strict"]:
        for point in mounts():
            if not below(point, writable) or (below(point, tunables) and not below(point, unit.words("ReadWritePaths"))):
                read_only(point)


def devices():
    """A /dev with nothing in it that is hardware's."""
    mount("tmpfs", "/mnt", "tmpfs", MS_NOSUID, "mode=0755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        open(f"/mnt/{name}", "w").close()
        mount(f"/dev/{name}", f"/mnt/{name}", None, MS_BIND)
    os.mkdir("/mnt/shm")
    mount("/mnt", "/dev", None, MS_MOVE)
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")


# System calls.

BPF_LD, BPF_JEQ, BPF_JGE, BPF_JSET, BPF_RET, BPF_AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
# DONE: the call isn't made, and its caller is told that it was.
ALLOW, EPERM, DONE = 0x7FFF0000, 0x00050001, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def statement(code, value):
    return struct.pack("=HBBI", code, 0, 0, value & 0xFFFFFFFF)


def jump(code, value, yes, no):
    return struct.pack("=HBBI", code, yes, no, value & 0xFFFFFFFF)


def argument(number):
    """The lower half of an argument (`struct seccomp_data`, linux/seccomp.h), on little-endian machines."""
    return 16 + 8 * number


def number_of():
    """The numbers of the system calls, as the C compiler knows them."""
    text = subprocess.run(["clang", "-E", "-dM", "-"], input="#include <sys/syscall.h>\n", capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", text, re.M)}


def members(name, sets={}):
    """The system calls of a set, as this systemd has it."""
    if not name.startswith("@"):
        return {name}
    if name not in sets:
        text = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
        lines = [line.strip() for line in text.split("\n")[1:]]
        sets[name] = {call for line in lines if line and not line.startswith("#") for call in members(line)}
    return sets[name]


def allow_list(unit):
    # What a list of allowed ones always holds (systemd.exec(5)).
    allowed = set(members("@default"))
    for value in unit.settings.get("SystemCallFilter", []):
        words = value.lstrip("~").split()
        calls = {call for word in words for call in members(word)}
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


def install(body):
    """The filter: another architecture ends the process, then what `body` says."""
    machine = os.uname().machine
    program = statement(BPF_LD, 4) + jump(BPF_JEQ, ARCHITECTURES[machine], 1, 0) + statement(BPF_RET, 0x80000000)
    program += statement(BPF_LD, 0) + body + statement(BPF_RET, ALLOW)
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    check(libc.prctl(22, 2, ctypes.c_char_p(header), 0, 0), "seccomp")


def deny(calls, numbers):
    return b"".join(jump(BPF_JEQ, numbers[call], 0, 1) + statement(BPF_RET, EPERM) for call in sorted(calls) if call in numbers)


def deny_where(call, numbers, position, mask, value, equal=True):
    """Denies a call where an argument has, under a mask, a value, or where it hasn't; loads the call's number again afterwards."""
    if call not in numbers:
        return b""
    verdict = [statement(BPF_LD, argument(position)), statement(BPF_AND, mask),
               jump(BPF_JEQ, value, 0 if equal else 1, 1 if equal else 0), statement(BPF_RET, EPERM), statement(BPF_LD, 0)]
    return jump(BPF_JEQ, numbers[call], 0, len(verdict)) + b"".join(verdict)


def confine_calls(unit):
    numbers = number_of()
    filters = []
    if unit.settings.get("RestrictNamespaces"):
        denied = 0
        for name, flag in NAMESPACES.items():
            if name not in unit.words("RestrictNamespaces"):
                denied |= flag
        body = b""
        for name, flag in NAMESPACES.items():
            if denied & flag:
                body += deny_where("clone", numbers, 0, flag, flag) + deny_where("unshare", numbers, 0, flag, flag)
                body += deny_where("setns", numbers, 1, flag, flag)
        filters.append(body + deny_where("setns", numbers, 1, 0xFFFFFFFF, 0))
    if unit.settings.get("RestrictAddressFamilies"):
        families = [FAMILIES[word] for word in unit.words("RestrictAddressFamilies")]
        checks = b"".join(jump(BPF_JEQ, family, len(families) - index, 0) for index, family in enumerate(families))
        filters.append(jump(BPF_JEQ, numbers["socket"], 0, len(families) + 3) + statement(BPF_LD, argument(0)) + checks
                       + statement(BPF_RET, EPERM) + statement(BPF_LD, 0))
    if unit.says("MemoryDenyWriteExecute"):
        filters.append(deny_where("mmap", numbers, 2, 6, 6) + deny_where("mprotect", numbers, 2, 4, 4)
                       + deny_where("pkey_mprotect", numbers, 2, 4, 4) + deny_where("shmat", numbers, 2, 0o100000, 0o100000))
    if unit.says("RestrictSUIDSGID"):
        filters.append(b"".join(deny_where(call, numbers, position, bit, bit) for bit in (0o4000, 0o2000)
                                for call, position in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mknod", 1), ("mknodat", 2))))
    if unit.says("RestrictRealtime"):
        # SCHED_FIFO, SCHED_RR and SCHED_DEADLINE are what isn't OTHER, BATCH or IDLE.
        filters.append(b"".join(deny_where("sched_setscheduler", numbers, 1, 0xFFFFFFFF, policy) for policy in (1, 2, 6)))
    if unit.says("LockPersonality"):
        filters.append(deny_where("personality", numbers, 0, 0xFFFFFFFF, 0, equal=False))
    for key, calls in (("ProtectKernelModules", members("@module")), ("ProtectClock", members("@clock")), ("ProtectKernelLogs", {"syslog"}),
                       ("PrivateDevices", members("@raw-io")), ("ProtectHostname", {"sethostname", "setdomainname"})):
        if unit.says(key):
            filters.append(deny(calls, numbers))
    if unit.unraised is not None:
        # Levels below 0 are the highest numbers where they are read as unsigned.
        filters.append(jump(BPF_JEQ, numbers["setpriority"], 0, 4) + statement(BPF_LD, argument(2))
                       + jump(BPF_JGE, unit.unraised, 0, 1) + statement(BPF_RET, DONE) + statement(BPF_LD, 0))
    allowed = allow_list(unit)
    filters.append(b"".join(jump(BPF_JEQ, numbers[call], 0, 1) + statement(BPF_RET, ALLOW) for call in sorted(allowed) if call in numbers)
                   + statement(BPF_RET, EPERM))
    for body in filters:
        install(body)


# Privileges.

def confine_privileges(unit, group):
    kept = {word.removeprefix("CAP_") for word in unit.words("CapabilityBoundingSet")}
    unknown = kept - set(CAPABILITIES)
    if unknown:
        raise ValueError(f"no such capabilities: {unknown}")
    os.setgroups([group] if group is not None else [])
    for number, name in enumerate(CAPABILITIES):
        if name not in kept:
            libc.prctl(24, number, 0, 0, 0)  # PR_CAPBSET_DROP; a kernel that doesn't know one has none of it
    os.umask(int(unit.settings["UMask"][-1], 8))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(int(unit.settings["LimitNOFILE"][-1]), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if "LimitNICE" in unit.settings:
        # With a sign it is a nice level; the resource's number is 20 less that (systemd.exec(5), getrlimit(2)).
        value = unit.settings["LimitNICE"][-1]
        limit = 20 - int(value) if value[0] in "+-" else int(value)
        try:
            resource.setrlimit(resource.RLIMIT_NICE, (limit, limit))
        except (ValueError, PermissionError):
            # Whoever has no CAP_SYS_RESOURCE here may not raise it; systemd has. A filter stands in for it.
            unit.unraised = 20 - limit
    if unit.says("NoNewPrivileges"):
        check(libc.prctl(38, 1, 0, 0, 0), "no new privileges")
    mask = sum(1 << number for number, name in enumerate(CAPABILITIES) if name in kept)
    header = struct.pack("=II", 0x20080522, 0)
    data = b"".join(struct.pack("=III", mask >> shift & 0xFFFFFFFF, mask >> shift & 0xFFFFFFFF, 0) for shift in (0, 32))
    return header, data


def main():
    words = sys.argv[1:]
    end = words.index("--")
    options, program = words[:end], words[end + 1:]
    binds = [tuple(options[index + 1].split(":")) for index, word in enumerate(options) if word == "--bind"]
    group = next((int(options[index + 1]) for index, word in enumerate(options) if word == "--group"), None)
    this = Unit(options[0])
    # Read before they may be out of sight.
    members("@system-service"), members("@default"), [members(word.lstrip("~")) for word in this.words("SystemCallFilter")]
    members("@module"), members("@clock"), members("@raw-io")
    numbers = number_of()
    globals()["number_of"] = lambda: numbers
    confine_files(this, binds, program[0])
    if this.says("ProtectHostname"):
        check(libc.unshare(CLONE_NEWUTS), "unshare")
    header, data = confine_privileges(this, group)
    check(libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(data)), "capset")
    confine_calls(this)
    os.execv(program[0], program)


main()
