#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks what needs no model: help, exit codes, near misses, the zoo, devices, missing files.

import unittest

import cli_support
from cli_support import sluice

ZOO = {"face-detection-short-range", "face-detection-full-range", "selfie-segmentation-landscape",
       "selfie-segmentation", "selfie-multiclass",
       *(f"anime4k-x2-{size}-{variant}" for size in "sml" for variant in ("rl", "an", "3d"))}
NOWHERE = {"SLUICE_MODEL_PATH": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"}


class Usage(cli_support.ProgramTest):
    def test_help_lists_the_subcommands(self):
        text = self.succeeds("--help")
        for command in ("run", "infer", "bench", "models", "graph", "devices", "doctor"):
            self.assertRegex(text, rf"(?m)^\s+{command}\s")

    def test_every_subcommand_has_help(self):
        for command in (["run"], ["infer"], ["bench"], ["bench", "machine"], ["bench", "model"], ["bench", "pipeline"],
                        ["models"], ["models", "list"], ["models", "show"], ["models", "card"], ["models", "verify"],
                        ["models", "add"], ["models", "save"], ["models", "seal"], ["models", "keygen"],
                        ["graph"], ["devices"], ["doctor"]):
            self.assertIn("--help", self.succeeds(*command, "--help"), command)

    def test_no_arguments_are_a_usage_error(self):
        done = sluice()
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertIn("models", done.stderr)

    def test_version(self):
        self.assertRegex(self.succeeds("--version"), r"\Asluice \d+\.\d+\.\d+\n\Z")

    def test_mistyped_commands_get_a_suggestion(self):
        self.fails("modles", code=2, says="unknown command 'modles'; did you mean 'models'?")
        self.fails("models", "lst", code=2, says="did you mean 'list'?")
        self.fails("bench", "pipline", "x", code=2, says="did you mean 'pipeline'?")
        self.fails("xyzzy", code=2, says="unknown command 'xyzzy' (")

    def test_mistyped_options_get_a_suggestion(self):
        self.fails("devices", "--jsn", code=2, says="unknown option '--jsn'; did you mean '--json'?")
        self.fails("bench", "model", "x", "--divice=cpu", code=2, says="did you mean '--device'?")
        self.fails("run", "x", "--taks", "redact", code=2, says="did you mean '--task'?")

    def test_mistyped_words_get_a_suggestion(self):
        self.fails("run", "x", "--task", "face-detect", "--json", code=2,
                   says="unknown task 'face-detect'; did you mean 'face-detection'?")
        self.fails("bench", "model", "x", "--device", "cup", code=2, says="did you mean 'cpu'?")
        self.fails("bench", "model", "x", "--device", "vulcan", code=2,
                   says=["vulkan:NUMBER", "did you mean 'vulkan'?"])
        self.fails("run", "x", "-o", "y.mp4", "--task", "redact", "--effect", "pixlate", code=2,
                   says="did you mean 'pixelate'?")

    def test_mistyped_models_get_a_suggestion(self):
        self.fails("models", "show", "selfie-segmentaton", says="selfie-segmentation")
        self.fails("graph", "face-detection-short-rage", says="face-detection-short-range")

    def test_wrong_values_are_usage_errors(self):
        for arguments in (["run", "x"], ["run", "x", "--task", "redact"], ["infer", "x"],
                          ["run", "x", "--task", "redact", "--tiling", "2", "--json"],
                          ["run", "x", "--task", "redact", "--score-threshold", "2", "--json"],
                          ["run", "x", "--task", "super-resolution", "--json"],
                          ["run", "x", "--task", "face-detection", "--mask", "m.png"],
                          ["run", "x", "--task", "face-detection", "--effect", "blur", "--json"],
                          ["run", "x", "--task", "segmentation", "--effect", "picture", "-o",
                           "y.mp4"],
                          ["run", "x", "--task", "segmentation", "--color", "green", "-o", "y.mp4"],
                          ["infer", "x", "--input", "no-equals", "--output-dir", "y"],
                          ["bench", "model", "x", "--runs", "0"],
                          ["bench", "model", "x", "--size", "10"],
                          ["graph", "x", "--format", "svg"], ["bench"], ["models"]):
            self.fails(*arguments, code=2)

    def test_missing_files_are_named(self):
        self.fails("run", "/nonexistent/x.mp4", "--task", "face-detection", "--json",
                   says="/nonexistent/x.mp4")
        self.fails("run", "/nonexistent/x.mp4", "--task", "redact", "-o", "y.mp4",
                   says="/nonexistent/x.mp4")
        self.fails("graph", "/nonexistent/x.tflite", says="/nonexistent/x.tflite")
        self.fails("infer", "m", "--input", "x=/nonexistent/x.npy", "--output-dir", "y",
                   says="/nonexistent/x.npy")

    def test_outputs_that_cannot_be_are_refused(self):
        self.fails("run", __file__, "--task", "redact", "-o", "y.avi",
                   says=["'y.avi'", ".mp4"])
        self.fails("run", __file__, "--task", "segmentation", "--effect", "key", "-o", "y.mp4",
                   says=["'y.mp4'", ".png"])

    def test_devices(self):
        devices = self.json_of("devices", "--json")["devices"]
        self.assertLessEqual({"cpu", "reference"}, {entry["name"] for entry in devices})
        self.assertEqual(sum(entry["chosen_by_auto"] for entry in devices), 1)
        self.assertTrue(any(entry["name"].startswith("vulkan") for entry in devices))  # or why there is none
        text = self.succeeds("devices")
        for entry in devices:
            self.assertIn(entry["name"], text)

    def test_models_list_has_the_zoo(self):
        own = {"XDG_DATA_HOME": "/nonexistent"}  # whoever runs this may have added models
        models = self.json_of("models", "list", "--json", environment=own)["models"]
        self.assertLessEqual(ZOO, {entry["name"] for entry in models})
        for entry in models:
            self.assertTrue(entry["licence"], entry)
            self.assertRegex(entry["sha256"], r"\A[0-9a-f]{64}\Z")
        text = self.succeeds("models", "list", environment=own)
        for name in ZOO:
            self.assertIn(name, text)

    def test_models_that_are_not_fetched_are_missing(self):
        models = self.json_of("models", "list", "--json", environment=NOWHERE)["models"]
        self.assertFalse(any(entry["present"] for entry in models))
        shown = self.json_of("models", "show", "selfie-multiclass", "--json", environment=NOWHERE)
        self.assertFalse(shown["present"])
        done = sluice("models", "verify", "selfie-multiclass", environment=NOWHERE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing", done.stderr)
        self.fails("graph", "selfie-multiclass", environment=NOWHERE, says="selfie-multiclass")

    def test_models_have_cards(self):
        for name in ZOO:
            card = self.json_of("models", "card", name, "--json", environment=NOWHERE)
            for key in ("task", "intended_use", "limitations", "licence", "normalisation"):
                self.assertTrue(card[key], (name, key))
            self.assertRegex(card["provenance"]["sha256"], r"\A[0-9a-f]{64}\Z")
            self.assertTrue(card["figures"], name)
            text = " ".join(self.succeeds("models", "card", name, environment=NOWHERE).split())
            self.assertIn(card["limitations"], text)
            for figure in card["figures"]:
                self.assertIn(f"{figure['measure']} {figure['value']} {figure['unit']}", text)
                self.assertIn(figure["command"], text)
        self.fails("models", "card", "selfie-multiclas", says="selfie-multiclass")

    def test_cards_have_the_tensors_of_what_is_here(self):
        shown = self.json_of("models", "show", "face-detection-short-range", "--json")
        if not shown["present"]:
            self.skipTest("the model is not fetched")
        card = self.json_of("models", "card", "face-detection-short-range", "--json")
        self.assertEqual(card["inputs"], [{"name": "input", "type": "float32", "shape": [1, 128, 128, 3]}])
        self.assertEqual(len(card["outputs"]), 2)
        # -1 and 1 are what black and white become.
        rule = card["normalisation"]
        self.assertAlmostEqual(rule["offset"], -1)
        self.assertAlmostEqual(255 * rule["scale"] + rule["offset"], 1, places=5)

    def test_aliases_are_known(self):
        shown = self.json_of("models", "show", "anime4k-x2-s", "--json", environment=NOWHERE)
        self.assertEqual(shown["name"], "anime4k-x2-s-rl")

    def test_broken_launch_lines_are_sentences(self):
        self.fails("bench", "pipeline", "videotestsrc ! nosuchelement", says="nosuchelement")
        self.fails("bench", "pipeline", "", says="launch line")
        self.fails("bench", "pipeline", "filesrc location=/nonexistent/x ! fakesink",
                   says=["filesrc", "/nonexistent/x"])


if __name__ == "__main__":
    cli_support.main()
