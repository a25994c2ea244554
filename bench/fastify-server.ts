// What Fastify does by itself, without anything of ours: a note by its id out of memory, and a POST that is checked
// against its shape and stored in raw `node:sqlite`, synced. node bench/fastify-server.ts DATABASE [NOTES]
import { fastify } from 'fastify';
import { DatabaseSync } from 'node:sqlite';
import { notesById } from './floor-notes.ts';

const [path = ':memory:', notes] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE note (body TEXT)');
const insert = database.prepare('INSERT INTO note VALUES (?)');
const byId = new Map([...notesById(notes)].map(([id, body]) => [id, JSON.parse(body) as object]));

const text = { type: 'string' };
const body = {
  type: 'object',
  additionalProperties: false,
  required: ['content'],
  properties: { title: text, content: text, tags: { type: 'array', items: text } },
};

const app = fastify();
app.get('/api/v2/nodes/:id', async (request) => byId.get((request.params as { id: string }).id));
app.post('/api/v2/nodes', { schema: { body } }, async (request, reply) => {
  insert.run(JSON.stringify(request.body));
  return reply.code(201).send(request.body);
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(JSON.stringify({ msg: 'listening', url }));
process.on('SIGTERM', () => void app.close());
