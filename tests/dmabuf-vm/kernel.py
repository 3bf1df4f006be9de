# SPDX-License-Identifier: Apache-2.0
"""The virtual machine's kernel: Debian's own, fetched once with apt and taken apart, never installed.

What is kept in the cache folder: vmlinux (qemu boots it straight, without a decompression in the guest) and a tree of
the few modules that the suite loads.
"""

import fcntl
import glob
import json
import lzma
import os
import shutil
import struct
import subprocess
import tempfile

RECIPE = 1  # a new number prepares every kernel anew; change it with the steps in prepare()
# Debian's small "cloud" kernel has neither a virtual camera nor sync files.
METAPACKAGE = "linux-image-amd64"
# A camera without hardware, and a device that makes dmabufs with fences of our own.
MODULES = ("vivid", "vgem")


class Unavailable(Exception):
    """The reason why there is no kernel, in one sentence."""


class Kernel:
    def __init__(self, folder, release):
        self.image = os.path.join(folder, "vmlinux")
        self.modules = os.path.join(folder, "modules")  # for modprobe -d
        self.release = release


def find(cache):
    """The prepared kernel, made first where there is none yet. Later calls touch no network."""
    folder = os.path.join(cache, "kernel")
    os.makedirs(cache, exist_ok=True)
    with open(folder + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kernel = ready(folder)
        if kernel is None:
            prepare(folder)
            kernel = ready(folder)
    return kernel


def ready(folder):
    try:
        with open(os.path.join(folder, "ready.json"), encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return None
    return Kernel(folder, told["release"]) if told.get("recipe") == [RECIPE, *MODULES] else None


def prepare(folder):
    """Makes the folder beside its final name and renames it at the end, so that a half-made one is never used."""
    with tempfile.TemporaryDirectory(prefix="kernel.partial.", dir=os.path.dirname(folder)) as work:
        tree = os.path.join(work, "tree")
        run("dpkg-deb", "-x", download(work), tree)
        release = os.path.basename(one(os.path.join(tree, "usr/lib/modules/*")))
        done = os.path.join(work, "done")
        os.makedirs(done)
        extract_image(one(os.path.join(tree, "boot/vmlinuz-*")), os.path.join(done, "vmlinux"))
        pick_modules(tree, release, os.path.join(done, "modules"))
        with open(os.path.join(done, "ready.json"), "w", encoding="utf-8") as file:
            json.dump({"recipe": [RECIPE, *MODULES], "release": release}, file)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(done, folder)


def download(work):
    """The package's file. Apt's own state may be read-only or empty (a root of ./dev), so it gets one of its own."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(work, name))
    apt = ["-o", f"Dir::State={work}/state", "-o", f"Dir::Cache={work}/cache", "-o", "APT::Sandbox::User="]
    offline = "the Debian kernel for the virtual machine cannot be downloaded; connect to the network and run this again"
    try:
        run("apt-get", *apt, "-q", "--error-on=any", "update")
        image = next((line.split()[-1] for line in run("apt-cache", *apt, "depends", METAPACKAGE).splitlines()
                      if "Depends: linux-image-" in line), None)
        if image is None:
            raise Unavailable(f"apt knows no package {METAPACKAGE}; the virtual machine needs Debian 13's packages")
        run("apt-get", *apt, "-q", "download", image, cwd=work)
    except subprocess.CalledProcessError as error:
        raise Unavailable(offline + last_line(error.stderr)) from error
    return one(os.path.join(work, "*.deb"))


def last_line(text):
    lines = [line for line in text.splitlines() if line.startswith("E: ")]
    return f" (apt says: {lines[-1][3:]})" if lines else ""


def extract_image(compressed, out):
    """The ELF file in a bzImage: where its payload lies is in the setup header (boot protocol 2.08 or newer)."""
    with open(compressed, "rb") as file:
        image = file.read()
    start = ((image[0x1F1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[start + offset:start + offset + length]
    if payload[:4] == b"\x28\xb5\x2f\xfd":
        # The last four bytes are the size of the result, which zstd would take for another frame.
        elf = subprocess.run(["zstd", "-dc"], input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout
    elif payload[:6] == b"\xfd7zXZ\x00":
        elf = lzma.LZMADecompressor().decompress(payload)
    else:
        raise Unavailable(f"the kernel is compressed in a way that kernel.py does not know (it begins with {payload[:6].hex()})")
    if elf[:4] != b"\x7fELF":
        raise Unavailable("the kernel's payload is no ELF file; kernel.py does not know its layout")
    with open(out, "wb") as file:
        file.write(elf)


def pick_modules(tree, release, out):
    """The modules and what they need, decompressed: that takes long in an emulated machine."""
    os.symlink("usr/lib", os.path.join(tree, "lib"))
    run("depmod", "-b", tree, release)
    source = os.path.join(tree, "usr/lib/modules", release)
    folder = os.path.join(out, "lib/modules", release)
    os.makedirs(folder)
    needed = set()
    for module in MODULES:
        for line in run("modprobe", "-d", tree, "-S", release, "--show-depends", module).splitlines():
            if line.startswith("insmod "):
                needed.add(line.split()[1])
    for path in needed:
        with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
            content = file.read()
        with open(os.path.join(folder, os.path.basename(path).removesuffix(".xz")), "wb") as file:
            file.write(content)
    for name in ("modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(os.path.join(source, name), folder)
    with open(os.path.join(folder, "modules.order"), "w", encoding="utf-8"):
        pass
    run("depmod", "-b", out, release)


def run(*command, cwd=None):
    """What it prints. As superuser tools lie in sbin, which is not in every PATH."""
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True).stdout


def one(pattern):
    found = glob.glob(pattern)
    if len(found) != 1:
        raise Unavailable(f"the kernel's package has {len(found)} files like {os.path.basename(pattern)}, not one")
    return found[0]
