// One stream on PORT: sends or receives as many bytes as it is told, 64 KiB at a time
const net = require('net');
const BLOCK = 65536, block = Buffer.alloc(BLOCK, 'x');

function send(s, n) {
  while (n > 0) {
    n -= BLOCK;
    if (!s.write(block) && n > 0) { s.once('drain', () => send(s, n)); return; }
  }
  s.end();
}

function receive(s, n, rest) {
  const got = d => { if ((n -= d.length) <= 0) s.end('done\n'); };
  got(rest);
  s.on('data', got);
}

net.createServer({ noDelay: true }, s => {
  s.once('data', d => {
    const end = d.indexOf(10), [role, n] = d.toString('latin1', 0, end).split(' ');
    if (role === 'send') send(s, Number(n)); else receive(s, Number(n), d.subarray(end + 1));
  });
  s.on('error', () => s.destroy());
}).listen(Number(process.argv[2] || 7000), '127.0.0.1');
