#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test runner: counts single cases, shows failures in full, counts skips by reason, and fails when it should."""

import json
import os
import subprocess
import sys
import unittest

from launcher import REPO, LauncherTest

# Behaves as a GoogleTest program: writes $REPORT where --gtest_output says, then ends with $CODE.
GTEST = """for word; do
  case $word in --gtest_output=xml:*) [[ -z $REPORT ]] || printf '%s' "$REPORT" > "${word#*xml:}" ;; esac
done
printf '%s' "$SAYS"
exit ${CODE:-0}"""

REPORT = """<testsuites><testsuite name="A">
<testcase name="good" classname="A" status="run" result="completed"/>
<testcase name="bad" classname="A" status="run" result="completed"><failure message="short">a.cpp:1
full text of the failure</failure></testcase>
<testcase name="absent" classname="A" status="run" result="skipped"><skipped message="x">a.cpp:2
no camera</skipped></testcase>
<testcase name="other" classname="A" status="notrun" result="suppressed"/>
</testsuite></testsuites>"""


class Runner(LauncherTest):
    def setUp(self):
        super().setUp()
        self.tests = []
        os.makedirs(os.path.join(self.folder, "build", "meson-info"))

    def add(self, name, script, protocol="exitcode", environment=None, suite="unit"):
        self.tests.append({"name": name, "cmd": [self.stand_in(name, script)], "env": environment or {}, "suite": [suite],
                           "workdir": None, "is_parallel": True, "protocol": protocol, "timeout": 30})

    def run_all(self, *arguments):
        self.write("build/meson-info/intro-tests.json", json.dumps(self.tests))
        return subprocess.run([sys.executable, os.path.join(REPO, ".dev", "run_tests.py"), "--build",
                               os.path.join(self.folder, "build"), *arguments], env=self.environment(),
                              capture_output=True, text=True, timeout=60, check=False)

    def last_line(self, done):
        return done.stdout.splitlines()[-1]

    def test_scripts_pass_skip_and_fail_by_exit_code(self):
        self.add("good", "exit 0")
        self.add("absent", "echo first; echo no network; exit 77")
        self.add("bad", "echo what went wrong; exit 3")
        done = self.run_all()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.last_line(done), "1 passed, 1 failed, 1 skipped")
        self.assertIn("1 x no network", done.stdout)
        self.assertIn("what went wrong", done.stdout)
        self.assertIn("bad ended with exit code 3", done.stdout)

    def test_all_well_ends_with_zero(self):
        self.add("good", "exit 0")
        done = self.run_all()
        self.assertEqual((done.returncode, self.last_line(done)), (0, "1 passed, 0 failed, 0 skipped"))

    def test_googletest_cases_are_counted_one_by_one(self):
        self.add("program", GTEST, "gtest", {"REPORT": REPORT, "CODE": "1"})
        done = self.run_all()
        self.assertEqual(self.last_line(done), "1 passed, 1 failed, 1 skipped")
        self.assertIn("full text of the failure", done.stdout)
        self.assertIn("1 x no camera", done.stdout)

    def test_a_program_that_dies_fails_with_its_output(self):
        self.add("program", GTEST.replace("exit ${CODE:-0}", "kill -SEGV $$"), "gtest",
                 {"SAYS": "[ RUN      ] A.good\n[       OK ] A.good (1 ms)\n[ RUN      ] A.dies\n"})
        done = self.run_all()
        self.assertEqual((done.returncode, self.last_line(done)), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("was ended by SIGSEGV, last in A.dies", done.stdout)

    def test_a_failing_exit_after_good_cases_fails(self):
        # As a leak that the sanitizer finds at the very end.
        report = REPORT.replace("<failure", "<skipped").replace("</failure>", "</skipped>")
        self.add("program", GTEST, "gtest", {"REPORT": report, "CODE": "23", "SAYS": "leaked 20 bytes"})
        done = self.run_all()
        self.assertEqual((done.returncode, self.last_line(done)), (1, "1 passed, 1 failed, 2 skipped"))
        self.assertIn("leaked 20 bytes", done.stdout)

    def test_no_cases_is_a_failure(self):
        self.add("good", "exit 0")
        done = self.run_all("--filter", "nothing-like-it")
        self.assertEqual((done.returncode, self.last_line(done)), (1, "0 passed, 0 failed, 0 skipped"))
        self.assertIn("nothing-like-it", done.stderr)

    def test_suites_can_be_left_out(self):
        self.add("good", "exit 0")
        self.add("rule", "exit 1", suite="lint")
        done = self.run_all("--no-suite", "lint")
        self.assertEqual((done.returncode, self.last_line(done)), (0, "1 passed, 0 failed, 0 skipped"))

    def test_the_dmabuf_suite_runs_alone_and_only_when_asked_for(self):
        self.add("good", "exit 0")
        self.add("machine", "exit 1", suite="dmabuf")
        done = self.run_all()
        self.assertEqual((done.returncode, self.last_line(done)), (0, "1 passed, 0 failed, 0 skipped"))
        done = self.run_all("--dmabuf")
        self.assertEqual((done.returncode, self.last_line(done)), (1, "0 passed, 1 failed, 0 skipped"))

    def test_the_nightly_suite_runs_alone_and_only_when_asked_for(self):
        self.add("good", "exit 0")
        self.add("long", "exit 1", suite="nightly")
        done = self.run_all()
        self.assertEqual((done.returncode, self.last_line(done)), (0, "1 passed, 0 failed, 0 skipped"))
        done = self.run_all("--nightly")
        self.assertEqual((done.returncode, self.last_line(done)), (1, "0 passed, 1 failed, 0 skipped"))

    def test_the_sanitizers_take_googletest_programs_only(self):
        report = '<testsuites><testsuite name="A"><testcase name="good" classname="A" status="run" result="completed"/>'
        self.add("program", GTEST, "gtest", {"REPORT": report + "</testsuite></testsuites>"})
        self.add("script", "exit 1")
        self.add("rule", GTEST, "gtest", {"CODE": "1"}, suite="lint")
        done = self.run_all("--sanitize")
        self.assertEqual((done.returncode, self.last_line(done)), (0, "1 passed, 0 failed, 0 skipped"))
        listed = self.run_all("--sanitize", "--executables").stdout.splitlines()
        self.assertEqual([os.path.basename(path) for path in listed], ["program"])

    def test_builds_what_a_program_loads_too(self):
        self.add("program", GTEST, "gtest", {"CODE": "0"})
        self.tests[-1]["depends"] = ["1@@layer@sha", "2@@unknown@exe"]
        layer = os.path.join(self.folder, "build", "tests", "layer.so")
        self.write("build/meson-info/intro-targets.json", json.dumps([{"id": "1@@layer@sha", "filename": [layer]}]))
        listed = self.run_all("--executables").stdout.splitlines()
        self.assertEqual([os.path.basename(path) for path in listed], ["program", "layer.so"])


if __name__ == "__main__":
    unittest.main()
