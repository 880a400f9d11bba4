// N cycles of: make a promise, resolve it, await it (MODE 0), or await it while a later microtask
// resolves it (MODE 1)
const { now, arg, report } = require('../lib/bench.js');
const N = arg(1, 1e6), MODE = arg(2, 0);
(async () => {
  let total = 0;
  const t = now();
  for (let i = 0; i < N; i++) {
    let resolve;
    const p = new Promise(r => { resolve = r; });
    if (MODE) queueMicrotask(() => resolve(i)); else resolve(i);
    total += await p;
  }
  report(N, now() - t);
  if (total !== N * (N - 1) / 2) throw total;
})();
