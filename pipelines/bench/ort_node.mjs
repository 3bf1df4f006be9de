// SPDX-License-Identifier: Apache-2.0
// Times an ONNX network in onnxruntime-node, the ONNX Runtime that npm has: a peer.
// ort_node.mjs FOLDER-WITH-node_modules MODEL.onnx SHAPE RUNS THREADS
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const WARM_UPS = 3;
const [folder, model, shapeText, runs, threads] = process.argv.slice(2);
const require = createRequire(join(resolve(folder), "package.json"));
const ort = require("onnxruntime-node");
const version = require("onnxruntime-node/package.json").version;

const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 4,
});
const shape = shapeText.split(",").map(Number);
const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
let seed = 1;
for (let i = 0; i < values.length; ++i) {
  seed = (seed * 48271) % 2147483647;
  values[i] = seed / 2147483647;
}
const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", values, shape) };
const samples = [];
for (let i = -WARM_UPS; i < Number(runs); ++i) {
  const start = process.hrtime.bigint();
  await session.run(feeds);
  if (i >= 0) samples.push(Number(process.hrtime.bigint() - start) / 1e6);
}
samples.sort((a, b) => a - b);
console.log(JSON.stringify({ median_ms: samples[samples.length >> 1], min_ms: samples[0], version }));
