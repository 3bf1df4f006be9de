#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Making the Debian root: never a half-made one, one at a time, anew when the list changes, a sentence for each failure.

mmdebstrap and bwrap are stand-ins here; ./dev itself uses the real ones wherever the host is not Debian 13.
"""

import fcntl
import glob
import os
import signal
import subprocess
import sys
import time
import unittest

from launcher import LauncherTest

# Makes a folder in the way of mmdebstrap: its last but one option is the suite, then the target.
MMDEBSTRAP = 'echo made >> "$FOLDER/made"\nfor target; do :; done\nmkdir -p "$target/etc" "$target/usr/bin"\n'
# Answers the question whether it works; otherwise tells how it was called.
BWRAP = '[[ ${!#} != true ]] || exit 0\nprintf "%s\\n" "$@"\n'


class Root(LauncherTest):
    def setUp(self):
        super().setUp()
        self.stand_in("mmdebstrap", MMDEBSTRAP)
        self.stand_in("bwrap", BWRAP)
        self.stand_in("apt-config", "")
        self.free_space(100)

    def free_space(self, gibibytes):
        self.stand_in("df", f'echo "head"; echo "disk 1 1 {gibibytes * 1024 * 1024} 1% /"')

    def build(self, **environment):
        return self.dev("build", SLUICE_DEV_ROOT="always", **environment)

    def start_build(self):
        return subprocess.Popen([os.path.join(self.repo, "dev"), "build"], cwd=self.repo, text=True,
                                env=self.environment(SLUICE_DEV_ROOT="always"), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                # A suite that runs in the background inherits an interrupt that is ignored.
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def roots(self):
        return sorted(path for path in glob.glob(os.path.join(self.cache, "sluice", "root-*")) if os.path.isdir(path))

    def times_made(self):
        try:
            with open(os.path.join(self.folder, "made"), encoding="utf-8") as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def wait_until(self, condition):
        end = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)

    def test_is_made_once_and_entered(self):
        first, second = self.build(), self.build()
        self.assertEqual((first.returncode, second.returncode), (0, 0), first.stderr + second.stderr)
        self.assertEqual(self.times_made(), 1)
        root, = self.roots()
        self.assertNotIn(".partial.", root)
        for done in (first, second):
            self.assertIn(f"--ro-bind\n{root}/usr\n/usr\n", done.stdout)
            self.assertTrue(done.stdout.endswith(f"--chdir\n{self.repo}\n{self.repo}/dev\nbuild\n"), done.stdout)

    def test_half_made_root_of_a_killed_run_is_removed_and_never_entered(self):
        self.stand_in("mmdebstrap", MMDEBSTRAP + "sleep 60")
        run = self.start_build()
        self.wait_until(lambda: self.roots() and os.path.isdir(os.path.join(self.roots()[0], "usr/bin")))
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        leftover, = self.roots()
        self.assertIn(".partial.", leftover)
        self.stand_in("mmdebstrap", MMDEBSTRAP)
        done = self.build()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(".partial.", done.stdout)
        self.assertFalse(os.path.exists(leftover))
        self.assertEqual(self.times_made(), 2)

    def test_interrupt_leaves_nothing_behind(self):
        self.stand_in("mmdebstrap", MMDEBSTRAP + "sleep 60")
        run = self.start_build()
        self.wait_until(lambda: self.times_made() == 1 and self.roots())
        os.killpg(run.pid, signal.SIGINT)
        run.communicate(timeout=120)
        self.assertEqual(run.returncode, 130)
        self.assertEqual(self.roots(), [])

    def test_two_at_once_make_one(self):
        self.stand_in("mmdebstrap", MMDEBSTRAP + 'until [[ -e "$FOLDER/go" ]]; do sleep 0.05; done')
        first = self.start_build()
        self.wait_until(lambda: self.times_made() == 1)
        second = self.start_build()
        said = second.stderr.readline()
        self.write("go", "")
        self.assertIn("waiting for another ./dev", said)
        for run in (first, second):
            output, errors = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 0, errors)
            self.assertIn("--chdir", output)
        self.assertEqual(self.times_made(), 1)

    def test_changed_list_makes_another_and_removes_the_old(self):
        self.build()
        old, = self.roots()
        with open(os.path.join(self.repo, ".dev", "packages.txt"), "a", encoding="utf-8") as file:
            file.write("one-more\n")
        done = self.build()
        self.assertEqual(done.returncode, 0, done.stderr)
        new, = self.roots()
        self.assertNotEqual(old, new)
        self.assertEqual(self.times_made(), 2)

    def test_comments_and_order_of_the_list_do_not_matter(self):
        self.build()
        path = os.path.join(self.repo, ".dev", "packages.txt")
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(["# another comment\n", *reversed(lines)])
        self.build()
        self.assertEqual(self.times_made(), 1)

    def test_old_root_stays_while_something_runs_in_it(self):
        self.build()
        old, = self.roots()
        with open(old + ".lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)  # as a running ./dev shell holds it
            self.write("repo/.dev/packages.txt", "make\n")
            self.build()
            self.assertIn(old, self.roots())
        self.write("repo/.dev/packages.txt", "make\nninja-build\n")
        self.build()
        self.assertEqual(len(self.roots()), 1)

    def test_no_network(self):
        self.stand_in("mmdebstrap", 'echo "E: Failed to fetch x  Temporary failure resolving y" >&2; exit 100')
        self.assert_one_error(self.build(), 1, "network")
        self.assertEqual(self.roots(), [])

    def test_full_disk_while_it_is_made(self):
        self.stand_in("mmdebstrap", MMDEBSTRAP + 'echo "E: write error (28: No space left on device)" >&2; exit 100')
        self.assert_one_error(self.build(), 1, "disk", "free")
        self.assertEqual(self.roots(), [])

    def test_unknown_package_is_named(self):
        self.stand_in("mmdebstrap", 'echo "E: Unable to locate package nonsense" >&2; exit 100')
        self.assert_one_error(self.build(), 1, "nonsense", "packages.txt")

    def test_too_little_space(self):
        self.free_space(1)
        self.assert_one_error(self.build(), 1, "4 GiB", "1024 MiB", "XDG_CACHE_HOME")
        self.assertEqual(self.times_made(), 0)

    def test_no_rights_for_a_sandbox(self):
        self.stand_in("bwrap", "exit 1")
        self.assert_one_error(self.build(), 1, "bubblewrap", "--privileged")
        self.assertEqual(self.times_made(), 0)

    def test_other_machine(self):
        self.stand_in("uname", "echo riscv64")
        self.assert_one_error(self.build(), 1, "riscv64", "x86-64")

    def test_tools_that_apt_cannot_install(self):
        # A PATH of its own: real programs by link, but no bwrap.
        os.unlink(os.path.join(self.bin, "bwrap"))
        for name in ("bash", "env", "readlink", "dirname", "sed", "tr", "sort", "sha256sum", "cut", "mkdir", "flock", "cat",
                     "rm", "grep", "tail", "awk", "id"):
            os.symlink(os.path.join("/usr/bin", name), os.path.join(self.bin, name))
        self.stand_in("uname", "echo x86_64")
        self.stand_in("apt-get", "exit 100")
        self.assert_one_error(self.build(PATH=self.bin), 1, "bubblewrap", "network")
        os.unlink(os.path.join(self.bin, "apt-get"))
        self.assert_one_error(self.build(PATH=self.bin), 1, "bubblewrap", "package manager")

    def test_home_in_a_system_folder_is_refused(self):
        self.assert_one_error(self.build(HOME="/usr/share"), 1, "/usr/share", "system folder")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("the root is made in another way for a user who is not root")
        sys.exit(77)
    unittest.main()
