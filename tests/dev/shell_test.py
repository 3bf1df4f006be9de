#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev shell -- COMMAND: the command runs as it was written, and finds what was built."""

import os
import resource
import unittest

from launcher import LauncherTest


class Shell(LauncherTest):
    def run_shell(self, *command, **options):
        return self.dev("shell", "--", *command, **options)

    def test_passes_the_exit_code_on(self):
        for code in (0, 1, 7, 124):
            self.assertEqual(self.run_shell("sh", "-c", f"exit {code}").returncode, code)

    def test_keeps_arguments_with_spaces_and_options(self):
        done = self.run_shell("printf", "<%s>", "two words", "", "--help", "*", "--")
        self.assertEqual(done.stdout, "<two words><><--help><*><-->")

    def test_keeps_the_folder(self):
        done = self.run_shell("pwd", cwd=os.path.join(self.repo, "tests"))
        self.assertEqual(done.stdout, os.path.join(self.repo, "tests") + "\n")

    def test_writes_nothing_of_its_own_to_stdout(self):
        self.assertEqual(self.run_shell("true").stdout, "")

    def test_finds_plugin_program_and_models(self):
        done = self.run_shell("sh", "-c", 'echo "$GST_PLUGIN_PATH|$GST_REGISTRY|${PATH%%:*}|$SLUICE_MODEL_PATH"')
        build = os.path.join(self.repo, "build")
        self.assertEqual(done.stdout, f"{build}/gst-plugins|{build}/gst-registry.bin|{build}/pipelines/cli|"
                                      f"{self.cache}/sluice/models\n")

    def test_builds_what_it_runs(self):
        self.assertEqual(self.run_shell("sluice").stdout, "hello\n")
        self.assertTrue(os.path.exists(os.path.join(self.repo, "build", "gst-plugins", "libgstsluice.so")))
        self.write("repo/pipelines/cli/sluice.sh", "#!/bin/sh\necho changed\n", executable=True)
        self.assertEqual(self.run_shell("sluice").stdout, "changed\n")

    def test_unknown_program_is_named(self):
        self.assert_one_error(self.run_shell("no-such-program"), 127, "'no-such-program'")

    def test_adds_less_than_half_a_second(self):
        # Processor time, since other tests run beside this one; on an idle machine it takes no longer than that.
        self.run_shell("true")
        times = []
        for _ in range(5):
            start = self.processor_seconds()
            self.run_shell("true")
            times.append(self.processor_seconds() - start)
        self.assertLess(min(times), 0.5)

    @staticmethod
    def processor_seconds():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def test_build_failure_is_said_and_nothing_runs(self):
        self.write("repo/meson.build", "project('small')\nerror('on purpose')\n")
        done = self.run_shell("echo", "ran")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("on purpose", done.stderr)

    def test_an_interrupted_configuration_is_made_again(self):
        os.makedirs(os.path.join(self.repo, "build", "meson-private"))
        self.write("repo/build/meson-private/coredata.dat", "cut off")
        self.assertEqual(self.run_shell("true").returncode, 0)


if __name__ == "__main__":
    unittest.main()
