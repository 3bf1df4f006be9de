// SPDX-License-Identifier: Apache-2.0
// Runs a TensorFlow.js model in TensorFlow.js itself, on its plain JavaScript backend.
"use strict";
// usage: node tfjs_run.cjs TF.JS MODEL.JSON INPUT.npy OUTDIR
// Writes each output as OUTDIR/NAME.npy; a layers model's outputs are called after its output layers.

const fs = require("node:fs");
const path = require("node:path");

function readNpy(file) {
    const bytes = fs.readFileSync(file);
    const end = 10 + bytes.readUInt16LE(8);
    const header = bytes.toString("latin1", 10, end);
    if (!header.includes("'<f4'") || header.includes("'fortran_order': True")) {
        throw new Error(`${file} is no array of little-endian float32: ${header}`);
    }
    const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(",").filter((part) => part.trim()).map(Number);
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + end, bytes.byteOffset + bytes.length));
    return { shape, values };
}

function writeNpy(file, shape, values) {
    const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.map((n) => `${n},`).join("")}), }`;
    const header = dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11) + "\n";
    const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0]);
    start.writeUInt16LE(header.length, 8);
    const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    fs.writeFileSync(file, Buffer.concat([start, Buffer.from(header, "latin1"), data]));
}

// What tf.load...Model() asks for a model's parts.
function files(modelPath) {
    return {
        load: async () => {
            const model = JSON.parse(fs.readFileSync(modelPath, "utf8"));
            const shards = model.weightsManifest.flatMap((group) => group.paths);
            const parts = shards.map((shard) => fs.readFileSync(path.join(path.dirname(modelPath), shard)));
            const weights = Buffer.concat(parts);
            return {
                modelTopology: model.modelTopology,
                weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
                weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
                format: model.format,
                signature: model.signature ?? model.userDefinedMetadata?.signature,
            };
        },
    };
}

async function main() {
    const [library, modelPath, inputPath, folder] = process.argv.slice(2);
    const tf = require(path.resolve(library));
    await tf.setBackend("cpu");
    const { shape, values } = readNpy(inputPath);
    const input = tf.tensor(values, shape);
    const isLayers = JSON.parse(fs.readFileSync(modelPath, "utf8")).format === "layers-model";
    const model = isLayers ? await tf.loadLayersModel(files(modelPath)) : await tf.loadGraphModel(files(modelPath));
    const results = [isLayers ? model.predict(input) : model.execute(input)].flat();
    const names = isLayers ? model.outputNames : model.outputs.map((output) => output.name);
    fs.mkdirSync(folder, { recursive: true });
    for (const [index, result] of results.entries()) {
        const name = names[index].replace(/:0$/, "").replaceAll("/", "_");
        writeNpy(path.join(folder, `${name}.npy`), result.shape, await result.data());
    }
    console.log(`TensorFlow.js ${tf.version["tfjs-core"]}: ${results.length} outputs`);
}

main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
