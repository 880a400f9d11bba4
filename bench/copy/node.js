// A value of some KIB KiB goes to a worker thread by postMessage, N times; an operation is a KiB.
// KIND 0: a list of records, 1: a list of numbers, 2: one string
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) {
  parentPort.on('message', v => parentPort.postMessage(v.length));
} else {
  const { now, arg, report } = require('../lib/bench.js');
  const N = arg(1, 200), KIB = arg(2, 1024), KIND = arg(3, 0);
  const list = (n, make) => Array.from({ length: n }, (_, i) => make(i + 1));
  const sent = KIND === 2 ? 'x'.repeat(KIB * 1024)
    : KIND === 1 ? list(KIB * 128, i => i + 0.5)
    : list(KIB * 16, i => ({ id: i, x: i / 2, name: 'record ' + i, ok: true }));
  const worker = new Worker(__filename);
  let answer;
  const ask = v => new Promise(done => { answer = done; worker.postMessage(v); });
  worker.on('message', v => answer(v));
  (async () => {
    await ask('');
    const t = now();
    for (let i = 0; i < N; i++) if (await ask(sent) !== sent.length) throw i;
    report(N * KIB, now() - t);
    worker.terminate();
  })();
}
