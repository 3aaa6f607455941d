"""A service manager as small as can be: it starts a daemon, keeps the open files that it is given (sd_notify(3)), kills it, takes the
names of the namespaces away as the end of a mount namespace does, and starts it again with what it kept (sd_listen_fds(3)).

    servicemanager.py FOLDER PATH-OF-A-NAMED-NAMESPACE APPLY... -- DAEMON...

APPLY is run when the daemon is ready. Prints the interfaces in the namespace before and after."""
import array
import os
import signal
import socket
import subprocess
import sys

folder, named = sys.argv[1:3]
split = sys.argv.index("--")
apply, daemon = sys.argv[3:split], sys.argv[split + 1:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(folder + "/notify")
kept = {}


def start():
    """Starts the daemon with what is kept, and returns when it is ready."""
    names = sorted(kept)
    for place, name in enumerate(names):
        # Above where they go to, so that none is closed by another.
        os.dup2(os.dup2(kept[name], 100 + place), 200 + place)
    moves = " ".join(f"{3 + place}<&{200 + place}" for place in range(len(names)))
    script = f'export LISTEN_PID=$$; exec "$@" {moves}'
    environment = dict(os.environ, NOTIFY_SOCKET=folder + "/notify")
    if names:
        environment.update(LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
    process = subprocess.Popen(
        ["bash", "-c", script, "bash"] + daemon, env=environment, pass_fds=[200 + place for place in range(len(names))])
    hear(lambda words: "READY=1" in words)
    return process


def hear(is_enough):
    while True:
        text, control, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(4))
        words = dict(line.split("=", 1) for line in text.decode().split("\n"))
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS) and "FDSTORE" in words:
                kept[words["FDNAME"]] = array.array("i", data)[0]
        if "FDSTOREREMOVE" in words:
            os.close(kept.pop(words["FDNAME"]))
        if is_enough([f"{key}={value}" for key, value in words.items()]):
            return


def interfaces():
    return subprocess.run(["nsenter", "--net=" + named, "ip", "-o", "link"], check=True, capture_output=True, text=True).stdout


process = start()
subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
hear(lambda words: any(word.startswith("FDNAME=") for word in words)) if not kept else None
before = interfaces()
process.send_signal(signal.SIGKILL)
process.wait()
subprocess.run(["umount", "-l", named], check=True)
process = start()
print(before, end="")
print("--")
print(interfaces(), end="")
process.send_signal(signal.SIGTERM)
process.wait()
