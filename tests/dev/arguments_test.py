#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev's command line: help, and one sentence for each mistake, before anything is set up."""

import os
import unittest

from launcher import LauncherTest

COMMANDS = ("demo", "test", "bench", "build", "shell", "format", "lint", "clean")


class Arguments(LauncherTest):
    def test_help_lists_every_command(self):
        done = self.dev("--help")
        self.assertEqual(done.returncode, 0)
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", done.stdout)

    def test_every_command_has_help(self):
        for command in COMMANDS:
            done = self.dev(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertTrue(done.stdout.startswith(f"usage: ./dev {command}"), done.stdout)

    def test_without_command_shows_usage_and_fails(self):
        done = self.dev()
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage:", done.stderr)

    def test_mistakes_are_named(self):
        for arguments, words in (
                (["tset"], ["'tset'", "--help"]),
                (["shell", "ls"], ["./dev shell -- ls"]),
                (["test", "--jobs", "many"], ["--jobs", "'many'"]),
                (["test", "--jobs", "0"], ["--jobs", "'0'"]),
                (["test", "--filter"], ["--filter", "value"]),
                (["test", "--fast"], ["test", "'--fast'"]),
                (["test", "--dmabuf", "--sanitize"], ["--dmabuf", "--sanitize"]),
                (["build", "--fast"], ["build", "'--fast'"]),
                (["bench", "--fast"], ["bench", "'--fast'"]),
                (["demo", "--seconds", "-1"], ["--seconds", "'-1'"]),
                (["format", "nowhere.cpp"], ["nowhere.cpp"]),
                (["lint", "nowhere.cpp"], ["nowhere.cpp"]),
                (["clean", "everything"], ["clean", "'everything'"]),
        ):
            with self.subTest(arguments=arguments):
                self.assert_one_error(self.dev(*arguments), 2, *words)
        self.assertEqual(os.listdir(self.cache), [], "a mistake must not start the set-up")

    def test_clean_removes_what_was_built_and_nothing_else(self):
        for folder in ("build", "build-asan", "out"):
            os.makedirs(os.path.join(self.repo, folder, "below"))
        os.makedirs(os.path.join(self.cache, "sluice", "models"))
        done = self.dev("clean")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(os.listdir(self.repo)), [".dev", "dev", "gst-plugins", "meson.build", "models", "pipelines", "tests"])
        self.assertTrue(os.path.isdir(os.path.join(self.cache, "sluice", "models")))


if __name__ == "__main__":
    unittest.main()
