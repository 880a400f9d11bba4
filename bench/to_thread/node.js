// N questions one after the other to a worker thread, with its function: there and back
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) {
  parentPort.on('message', x => parentPort.postMessage(2 * x));
} else {
  const { now, arg, report } = require('../lib/bench.js');
  const N = arg(1, 100000), worker = new Worker(__filename);
  let answer;
  const ask = x => new Promise(done => { answer = done; worker.postMessage(x); });
  worker.on('message', x => answer(x));
  (async () => {
    await ask(0);
    let total = 0;
    const t = now();
    for (let i = 1; i <= N; i++) total += await ask(i);
    report(N, now() - t);
    if (total !== N * (N + 1)) throw total;
    worker.terminate();
  })();
}
