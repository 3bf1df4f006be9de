# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with a real dmabuf-capable kernel, whose root is the environment that we run in, read-only.

No image is made: virtiofsd shares the root, and a second one a folder for the command and what it writes. Only qemu's
emulation is needed, neither KVM nor any right; where KVM is allowed, it is used.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VIRTIOFSD = ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd")
MEMORY = "2G"
# What would only cost time in a machine that lives for some seconds.
KERNEL_ARGUMENTS = ("console=ttyS0 quiet root=root rootfstype=virtiofs ro panic=-1 reboot=t,f mitigations=off nokaslr "
                    "random.trust_cpu=on nowatchdog no_timer_check tsc=reliable rcupdate.rcu_expedited=1 "
                    "cryptomgr.notests audit=0 selinux=0 apparmor=0")


class Unavailable(Exception):
    """The reason why no machine can be started here, in one sentence."""


class Result:
    def __init__(self, status, seconds, log):
        self.status = status  # of the command; None if the machine ended without telling it
        self.seconds = seconds
        self.log = log  # the kernel's last words, of a machine that failed


def check():
    """Raises Unavailable where a machine cannot run."""
    if platform.machine() != "x86_64":
        raise Unavailable(f"the virtual machine is made for x86-64 only; this is {platform.machine()}")
    for name, path in (("qemu-system-x86_64", shutil.which("qemu-system-x86_64")), ("virtiofsd", virtiofsd())):
        if path is None:
            raise Unavailable(f"there is no {name}; install Debian's qemu-system-x86 and virtiofsd")


def virtiofsd():
    return next((path for path in VIRTIOFSD if os.access(path, os.X_OK)), None)


def run(kernel, share, limit):
    """Boots, runs `command` of the folder `share`, and returns its Result. What it prints goes to our stdout."""
    status = os.path.join(share, "status")
    if os.path.exists(status):
        os.unlink(status)
    processes = []
    # Sockets have short names only.
    with tempfile.TemporaryDirectory(prefix="sluice-vm-", dir="/tmp") as work:
        try:
            start = time.monotonic()
            share_folder(processes, work, "root", "/", "--readonly", "--cache", "always")
            share_folder(processes, work, "share", share, "--cache", "auto")
            for name in ("root", "share"):
                wait_for(os.path.join(work, name), processes)
            ended = boot(processes, kernel, work, limit)
            seconds = time.monotonic() - start
        finally:
            for process in processes:
                stop(process)
        log = "" if ended else f"the machine was stopped after {limit} s\n"
        log += "".join(tail(os.path.join(work, name)) for name in ("serial", "qemu", "root.log", "share.log"))
    try:
        with open(status, encoding="utf-8") as file:
            return Result(int(file.read()), seconds, log)
    except (OSError, ValueError):
        return Result(None, seconds, log)


def share_folder(processes, work, name, folder, *options):
    with open(os.path.join(work, name + ".log"), "wb") as log:
        processes.append(subprocess.Popen(
            [virtiofsd(), "--socket-path", os.path.join(work, name), "--shared-dir", folder, "--sandbox", "none",
             "--seccomp", "none", "--log-level", "error", *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log))


def wait_for(socket, processes):
    for _ in range(200):
        if os.path.exists(socket):
            return
        if any(process.poll() is not None for process in processes):
            break
        time.sleep(0.05)
    raise Unavailable("virtiofsd cannot run here:" + tail(socket + ".log").rstrip().replace("\n", " "))


def boot(processes, kernel, work, limit):
    """Whether the machine ended by itself."""
    command = ["qemu-system-x86_64", "-machine", "pc,memory-backend=memory", "-accel",
               "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", "2", "-m", MEMORY,
               "-object", f"memory-backend-memfd,id=memory,size={MEMORY},share=on",
               "-nodefaults", "-no-user-config", "-nographic", "-no-reboot",
               "-kernel", kernel.image, "-append", f"{KERNEL_ARGUMENTS} init={HERE}/init",
               "-chardev", f"file,id=serial,path={work}/serial", "-serial", "chardev:serial",
               "-chardev", "stdio,id=console,signal=off", "-device", "virtio-serial-pci",
               "-device", "virtconsole,chardev=console"]
    for name in ("root", "share"):
        command += ["-chardev", f"socket,id={name},path={work}/{name}",
                    "-device", f"vhost-user-fs-pci,chardev={name},tag={name}"]
    sys.stdout.flush()
    with open(os.path.join(work, "qemu"), "wb") as log:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    processes.append(machine)
    try:
        machine.wait(limit)
    except subprocess.TimeoutExpired:
        return False
    return True


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def tail(path, lines=25):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join("  " + line for line in file.readlines()[-lines:])
    except OSError:
        return ""
