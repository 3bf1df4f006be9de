# SPDX-License-Identifier: Apache-2.0
# What the oracle and quality tests share: where files lie, frames of a video, running the judge.
"""Test protocol: exit 0 passes, exit 77 skips with the reason on the last line of stdout."""

import os
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    import numpy as np
    import onnx  # noqa: F401  (the converters need it; its absence is told here, once)
    from PIL import Image
except ImportError as error:
    skip(f"{error}; install python3-numpy, python3-onnx and python3-pil")

# The networks by zoo name: input size (width, height) and the range of its values.
NETWORKS = {
    "face-detection-short-range": ((128, 128), (-1.0, 1.0)),
    "face-detection-full-range": ((192, 192), (-1.0, 1.0)),
    "face-detection-full-range-sparse": ((192, 192), (-1.0, 1.0)),
    "selfie-segmentation-landscape": ((256, 144), (0.0, 1.0)),
    "selfie-segmentation": ((256, 256), (0.0, 1.0)),
    "selfie-multiclass": ((256, 256), (-1.0, 1.0)),
}
ANIME4K = [f"anime4k-x2-{size}-{variant}" for size in "sml" for variant in ("rl", "an", "3d")]


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "sluice"


def find(variable, folder, name):
    """A fetched file: in the folders that the variable lists, else (to be) in the cache."""
    folders = [pathlib.Path(part) for part in os.environ.get(variable, "").split(":") if part]
    folders.append(cache_dir() / folder)
    for candidate in folders:
        if (candidate / name).exists():
            return candidate / name
    return folders[-1] / name


def model_path(name):
    ending = ".json" if name.startswith("anime4k") else ".tflite"
    return find("SLUICE_MODEL_PATH", "models", name + ending)


def footage_path(name):
    return find("SLUICE_FOOTAGE_PATH", "footage", name)


def twin_path(name):
    return find("SLUICE_TWINS_PATH", "twins", name)


def require(*paths):
    """Skips the test where a fetched file is not there."""
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        skip(f"{missing[0]} is not there ({len(missing)} missing); ./dev test fetches it")


def optional_program(name, variable):
    """A program of the build: the variable's value, else what the PATH finds, else nothing."""
    path = os.environ.get(variable, "") or shutil.which(name) or ""
    return path if os.path.exists(path) else None


def require_program(name, variable):
    path = optional_program(name, variable)
    if path is None:
        skip(f"the program {name} was not built ({variable} is '{os.environ.get(variable, '')}')")
    return path


def read_pnm(stream):
    """The next RGB picture of a PNM stream, or nothing at its end."""
    fields = []
    while len(fields) < 4:
        line = stream.readline()
        if not line:
            return None
        fields += line.split(b"#")[0].split()
    if fields[0] != b"P6":
        raise ValueError(f"not an RGB picture: {fields}")
    width, height = int(fields[1]), int(fields[2])
    data = stream.read(width * height * 3)
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def video_frames(path, every=1):
    """Yields (number, RGB array) for each `every`-th frame, decoded by GStreamer."""
    command = ["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "decodebin", "!",
               "videoconvert", "!", "video/x-raw,format=RGB", "!", "pnmenc", "!", "fdsink", "fd=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        number = 0
        while (frame := read_pnm(process.stdout)) is not None:
            if number % every == 0:
                yield number, frame
            number += 1


def network_input(name, picture):
    """A picture as a network's input tensor: letterboxed for faces, stretched for the others."""
    (width, height), (low, high) = NETWORKS[name]
    image = Image.fromarray(picture)
    if name.startswith("face"):
        scale = min(width / image.width, height / image.height)
        inner = (round(image.width * scale), round(image.height * scale))
        canvas = Image.new("RGB", (width, height))
        canvas.paste(image.resize(inner, Image.Resampling.BILINEAR),
                     ((width - inner[0]) // 2, (height - inner[1]) // 2))
        image = canvas
    else:
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    values = np.asarray(image, np.float32) / 255.0 * (high - low) + low
    return np.ascontiguousarray(values[None].astype(np.float32))


def file_name(tensor_name):
    """The file that holds a tensor: its name with slashes made harmless."""
    return tensor_name.replace("/", "_") + ".npy"


def ort_run(program, model, inputs, output_dir):
    """Runs ONNX Runtime on {name: path}; returns {name: array}."""
    command = [program, str(model), "--output-dir", str(output_dir)]
    for name, path in inputs.items():
        command += ["--input", f"{name}={path}"]
    subprocess.run(command, check=True)
    return {path.stem: np.load(path) for path in sorted(pathlib.Path(output_dir).glob("*.npy"))}
