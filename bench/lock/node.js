// TASKS async functions take and free one lock ITERS times each, giving way (a microtask) while
// they hold it
const { now, arg, report, Lock } = require('../lib/bench.js');
const TASKS = arg(1, 100), ITERS = arg(2, 1e4), lock = new Lock();
let count = 0;
const task = async () => {
  for (let i = 0; i < ITERS; i++) {
    await lock.acquire();
    const seen = count;
    await null;
    count = seen + 1;
    lock.release();
  }
};
(async () => {
  const t = now();
  await Promise.all(Array.from({ length: TASKS }, task));
  report(TASKS * ITERS, now() - t);
  if (count !== TASKS * ITERS) throw count;
})();
