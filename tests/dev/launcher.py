# SPDX-License-Identifier: Apache-2.0
"""What the tests of ./dev share: a small repository with the real launcher, and programs that stand in for others."""

import os
import shutil
import stat
import subprocess
import tempfile
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


# A project with the targets that the launcher builds for a user: here sluice is a script that greets.
PROJECT = """project('small', meson_version: '>= 1.7')
subdir('gst-plugins')
subdir('pipelines/cli')
subdir('pipelines/embed')
"""
PLUGIN = "custom_target('plugin', output: 'libgstsluice.so', command: ['touch', '@OUTPUT@'])\n"
PROGRAM = "custom_target('sluice', input: 'sluice.sh', output: 'sluice', command: ['cp', '@INPUT@', '@OUTPUT@'])\n"
EMBEDDING = """foreach name : ['hide_faces_picture', 'hide_faces_video']
  custom_target(name, output: name, command: ['touch', '@OUTPUT@'])
endforeach
"""


class LauncherTest(unittest.TestCase):
    """Each test has a folder with repo/ (launcher, empty project), cache/ and bin/ (stand-ins, first in PATH)."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-dev-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.repo = os.path.join(self.folder, "repo")
        self.cache = os.path.join(self.folder, "cache")
        self.bin = os.path.join(self.folder, "bin")
        for folder in ("models/zoo", "models/footage", "tests", "gst-plugins", "pipelines/cli", "pipelines/embed"):
            os.makedirs(os.path.join(self.repo, folder))
        os.makedirs(self.cache)
        os.makedirs(self.bin)
        shutil.copy(os.path.join(REPO, "dev"), self.repo)
        shutil.copytree(os.path.join(REPO, ".dev"), os.path.join(self.repo, ".dev"),
                        ignore=shutil.ignore_patterns("__pycache__"))
        self.write("repo/meson.build", PROJECT)
        self.write("repo/gst-plugins/meson.build", PLUGIN)
        self.write("repo/pipelines/cli/meson.build", PROGRAM)
        self.write("repo/pipelines/embed/meson.build", EMBEDDING)
        self.write("repo/pipelines/cli/sluice.sh", "#!/bin/sh\necho hello\n", executable=True)

    def write(self, path, text, executable=False):
        path = os.path.join(self.folder, path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if executable:
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return path

    def stand_in(self, name, script):
        """A program that the launcher finds instead of the real one."""
        return self.write(os.path.join("bin", name), f"#!/bin/bash\n{script}\n", executable=True)

    def environment(self, **more):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("SLUICE_", "GST_", "XDG_CACHE"))}
        environment.update(PATH=f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", XDG_CACHE_HOME=self.cache, HOME=self.folder,
                           FOLDER=self.folder)
        environment.update(more)
        return environment

    def dev(self, *arguments, cwd=None, **environment):
        return subprocess.run([os.path.join(self.repo, "dev"), *arguments], cwd=cwd or self.repo,
                              env=self.environment(**environment), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=240, check=False)

    def assert_one_error(self, done, code, *words):
        """The run failed with this code and one sentence that has these words."""
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(errors), 1, done.stderr)
        for word in words:
            self.assertIn(word, errors[0])
