// WebSocket echo on PORT, by ws
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(process.argv[2] || 7000), perMessageDeflate: false, backlog: 4096,
});
server.on('connection', ws => ws.on('message', (data, binary) => ws.send(data, { binary })));
