const http = require('http');
const { arg, cpu, report } = require('../lib/bench.js');
const port = arg(1, 0), n = arg(2, 30000), tasks = arg(3, 32);
const agent = new http.Agent({ keepAlive: true, maxSockets: tasks });

const get = () => new Promise((resolve, reject) => {
  http.get({ host: '127.0.0.1', port, path: '/', agent }, res => {
    const parts = [];
    res.on('data', part => parts.push(part));
    res.on('end', () => resolve([res.statusCode, Buffer.concat(parts)]));
  }).on('error', reject);
});

let left = n;
const began = cpu();
const work = async () => {
  while (left-- > 0) {
    const [status, body] = await get();
    if (status !== 200 || body.length === 0) throw new Error('bad answer');
  }
};
Promise.all(Array.from({ length: tasks }, work)).then(() => {
  report(n, cpu() - began);
  agent.destroy();
});
