// The least that an answer can cost here: `node:http` alone, and a POST stores its body in raw `node:sqlite`,
// synced, under no index and with nothing linked; a GET of a note gives it out of memory.
// node bench/floor-server.ts DATABASE [NOTES]
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { notesById } from './floor-notes.ts';

const [path = ':memory:', notes] = process.argv.slice(2);
const byId = notesById(notes);
const database = new DatabaseSync(path);
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE note (body TEXT)');
const insert = database.prepare('INSERT INTO note VALUES (?)');

const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    const id = request.url?.slice(request.url.lastIndexOf('/') + 1) ?? '';
    send(response, byId.get(id) ?? '{"items":[]}');
    return;
  }
  const body = await text(request);
  insert.run(body);
  send(response, body);
}

function send(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` }));
});
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});
