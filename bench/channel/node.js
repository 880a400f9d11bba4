// N messages to a worker thread by postMessage, which has no bound; KIND 0: numbers, 1: small
// objects, 2: numbers that come back, one at a time
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (!isMainThread) {
  const { N, KIND } = workerData;
  let total = 0, count = 0;
  parentPort.on('message', m => {
    total += KIND === 1 ? m.x : m;
    if (KIND === 2) parentPort.postMessage(m);
    if (++count === N) parentPort.postMessage({ total });
  });
  parentPort.postMessage('ready');
} else {
  const { now, arg, report } = require('../lib/bench.js');
  const N = arg(1, 1000000), KIND = arg(3, 0);
  const worker = new Worker(__filename, { workerData: { N, KIND } });
  let t, sent = 0;
  const next = () => { if (sent < N) worker.postMessage(++sent); };
  worker.on('message', m => {
    if (m === 'ready') {
      t = now();
      if (KIND === 2) return next();
      for (let i = 1; i <= N; i++)
        worker.postMessage(KIND === 1 ? { x: i, y: 0.5, name: 'point' } : i);
    } else if (m.total) {
      report(N, now() - t);
      if (m.total !== N * (N + 1) / 2) throw m.total;
      worker.terminate();
    } else next();
  });
}
