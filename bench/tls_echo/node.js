// TLS echo on PORT with the certificate and key in TLS_PEM, callbacks
const fs = require('fs'), tls = require('tls');
const pem = fs.readFileSync(process.env.TLS_PEM);
const server = tls.createServer({ key: pem, cert: pem, noDelay: true }, s => {
  s.on('data', d => s.write(d));
  s.on('error', () => s.destroy());
});
server.on('tlsClientError', () => {});
server.listen(Number(process.argv[2] || 7000), '127.0.0.1', 4096);
