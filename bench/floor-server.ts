// The least that an answer can cost here: `node:http` alone, and a POST stores its body in raw `node:sqlite`,
// synced, under no index and with nothing linked. node bench/floor-server.ts DATABASE
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';

const database = new DatabaseSync(process.argv[2] ?? ':memory:');
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE note (body TEXT)');
const insert = database.prepare('INSERT INTO note VALUES (?)');

const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  if (body !== '') insert.run(body);
  response.setHeader('content-type', 'application/json');
  response.end(body === '' ? '{"items":[]}' : body);
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` }));
});
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});
