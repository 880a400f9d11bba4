// N connections to a server of its own, CLIENTS at a time; the server closes each first
const net = require('net'), { arg, now, report } = require('../lib/bench.js');
const N = arg(1, 30000), CLIENTS = arg(2, 10);

const server = net.createServer(s => s.end()).listen(0, '127.0.0.1', () => {
  const port = server.address().port, t = now();
  let left = N;
  const client = n => {
    const s = net.connect(port, '127.0.0.1');
    s.resume();
    s.on('close', () => {
      if (--left === 0) { report(N, now() - t); server.close(); }
      if (n > 1) client(n - 1);
    });
  };
  for (let i = 0; i < CLIENTS; i++) client(N / CLIENTS);
});
