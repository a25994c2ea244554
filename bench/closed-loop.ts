// Reads a burst as JSON from stdin, puts it on the server over bare sockets, and writes what came of it to stdout. A
// client of HTTP costs as much as a server does, and two of them share the machine: this one sends bytes that were
// made before, and reads of an answer its status and its length.
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Burst, BurstResult, LoadRequest } from './load.ts';

const HEAD_END = '\r\n\r\n';
const STATUS_AT = 'HTTP/1.1 '.length;
const LENGTH = /\r\ncontent-length: (\d+)/i;
const RETRY_AFTER = /\r\nretry-after: (\d+)/i;

const burst = (await json(process.stdin)) as Burst;
const { hostname, port } = new URL(burst.url);
const messages = burst.requests.map(bytesOf);
const latenciesMs: number[] = [];
let next = 0;
let failed = 0;

const countFrom = performance.now() + burst.warmUpS * 1000;
const end = countFrom + burst.seconds * 1000;
if (burst.isAwake) turn();
await Promise.all(Array.from({ length: burst.connections }, converse));
const result: BurstResult = { latenciesMs, failed };
process.stdout.write(JSON.stringify(result));

/** Sends a request as soon as the one before is answered, or when the answer says, until the time is up. */
function converse(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let sentAt = 0;
    let missing = 0;
    let waitMs = 0;
    let head: Buffer = Buffer.alloc(0);
    const send = (): void => {
      sentAt = performance.now();
      if (sentAt < end) socket.write(messages[next++ % messages.length]!);
      else socket.end();
    };
    const answered = (): void => {
      const now = performance.now();
      if (waitMs > 0) return void setTimeout(send, Math.min(waitMs, end - now)); // refused for now: no client hurries then
      if (sentAt >= countFrom && now <= end) latenciesMs.push(now - sentAt);
      send();
    };
    socket.on('connect', send);
    socket.on('data', (piece: Buffer) => {
      if (missing > 0) {
        missing -= piece.length;
        if (missing === 0) answered();
        return;
      }
      head = head.length === 0 ? piece : Buffer.concat([head, piece]);
      const headLength = head.indexOf(HEAD_END) + HEAD_END.length;
      if (headLength < HEAD_END.length) return;
      const text = head.toString('latin1', 0, headLength);
      if (text[STATUS_AT] !== '2') failed += 1;
      waitMs = Number(RETRY_AFTER.exec(text)?.[1] ?? 0) * 1_000;
      missing = headLength + Number(LENGTH.exec(text)?.[1]) - head.length;
      head = Buffer.alloc(0);
      if (missing === 0) answered();
    });
    socket.on('close', () => {
      if (performance.now() < end) failed += 1;
      resolve();
    });
    socket.on('error', reject);
  });
}

function bytesOf({ method, path, body }: LoadRequest): Buffer {
  const head = `${method} ${path} HTTP/1.1\r\nhost: localhost:${port}\r\n`;
  if (body === undefined) return Buffer.from(`${head}\r\n`);
  const length = Buffer.byteLength(body);
  return Buffer.from(`${head}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`);
}

function turn(): void {
  if (performance.now() < end) setImmediate(turn);
}
