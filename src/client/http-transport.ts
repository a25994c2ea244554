import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Transport } from './http-client.ts';

/** Requests to a server at `baseUrl`. The answer may begin before the body is sent whole, as it does for an import. */
export function httpTransport(baseUrl: string): Transport {
  return ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(new URL(path, baseUrl), { method, headers }, (answer) => {
        const fields = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
          value === undefined ? [] : [[name, String(value)]],
        );
        resolve({ status: answer.statusCode ?? 0, headers: new Headers(fields), body: answer });
      });
      outgoing.on('error', reject);
      if (body === undefined || typeof body === 'string') outgoing.end(body);
      else pipeline(Readable.from(body), outgoing).catch(reject);
    });
}
