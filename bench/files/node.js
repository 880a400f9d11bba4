// files: small N CONC | lines MIB | blocks MIB KIB
const assert = require('assert');
const fs = require('fs');
const readline = require('readline');
const { now, arg, report } = require('../lib/bench.js');
const WHAT = process.argv[2], N = arg(2, 1000), CONC = arg(3, 1);
const MIB = 1 << 20, SIZE = 1000, LINE = 64, ROUNDS = 20, BLOCK = CONC * 1024;
const FOLDER = process.env.BENCH_FILES;

async function small() {
  for (let round = 0; round < ROUNDS; round++) {
    let next = 1, size = 0;
    const worker = async () => {
      while (next <= N) { const text = await fs.promises.readFile(`${FOLDER}/${next++}`); size += text.length; };
    };
    await Promise.all(Array.from({ length: CONC }, worker));
    assert(size === N * SIZE);
  }
  return N * ROUNDS;
}

async function lines() {
  let count = 0;
  for await (const _ of readline.createInterface({ input: fs.createReadStream(FOLDER + '/big') })) count++;
  assert(count === N * MIB / LINE);
  return N;
}

async function blocks() {
  const file = await fs.promises.open(FOLDER + '/big'), buffer = Buffer.alloc(BLOCK);
  let size = 0, got;
  while ((got = (await file.read(buffer, 0, BLOCK)).bytesRead) > 0) size += got;
  await file.close();
  assert(size === N * MIB);
  return N;
}

(async () => {
  const t = now();
  report(await { small, lines, blocks }[WHAT](), now() - t);
})();
