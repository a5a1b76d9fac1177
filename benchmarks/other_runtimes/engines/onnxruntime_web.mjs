// Worker script for ONNX Runtime Web (WebAssembly) in Node.js, spoken to as
// export/runtime/worker.py is: JSON lines on stdin and stdout, the same greeting and commands.
//
//     node onnxruntime_web.mjs FOLDER_WITH_NODE_MODULES '{"model": "FILE", ...}'
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch } from "node:process";
import { createInterface } from "node:readline";

const load = createRequire(`${process.argv[2]}/`);
const ort = load("onnxruntime-web");
const { version } = JSON.parse(
  readFileSync(`${process.argv[2]}/node_modules/onnxruntime-web/package.json`),
);
const given = JSON.parse(process.argv.at(-1));
ort.env.wasm.numThreads = given.threads;
ort.env.logLevel = "fatal";
let session;

// A .npy file of version 1 in C order, as numpy.save writes one: magic, header length, header.
function readImages(path) {
  const file = readFileSync(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString("latin1", 10, start);
  if (!header.includes("'<f4'") || !header.includes("False")) throw new Error(`${path}: ${header}`);
  const shape = header.match(/\(([^)]*)\)/)[1].split(",").filter((x) => x.trim()).map(Number);
  const bytes = file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length);
  return { shape, values: new Float32Array(bytes) };
}

function writeLogits(path, values, shape) {
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const header = Buffer.from(text.padEnd(Math.ceil((text.length + 11) / 64) * 64 + 53) + "\n");
  const start = Buffer.from("\x93NUMPY\x01\x00\x00\x00", "latin1");
  start.writeUInt16LE(header.length, 8);
  writeFileSync(path, Buffer.concat([start, header, Buffer.from(Float64Array.from(values).buffer)]));
}

const commands = {
  async load() {
    session = await ort.InferenceSession.create(readFileSync(given.model), {
      executionProviders: ["wasm"],
    });
    return { ms: 0, shape: [], delegated: null };
  },
  async answer({ images, logits }) {
    const { shape, values } = readImages(images);
    const found = [];
    const length = values.length / shape[0];
    for (let index = 0; index < shape[0]; index++) {
      const image = values.subarray(index * length, (index + 1) * length);
      const tensor = new ort.Tensor("float32", image, [1, ...shape.slice(1)]);
      const answer = await session.run({ [session.inputNames[0]]: tensor });
      found.push(...answer[session.outputNames[0]].data);
    }
    writeLogits(logits, found, [shape[0], found.length / shape[0]]);
    return { count: shape[0] };
  },
};

const say = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);
say({ version, machine: arch, features: [] });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  say(await commands[command.do](command));
}
