import { request as httpRequest } from 'node:http';
import type { Client } from '../http/client.ts';
import type { JudgedAnswer } from '../contract/judge.ts';
import type { FuzzRequest } from './requests.ts';

export type Send = (request: FuzzRequest) => Promise<JudgedAnswer>;

/** Everything of the real server but the socket. */
export const inProcess =
  ({ brain }: Client): Send =>
  async ({ method, path, headers, body }) => {
    const answer = await brain.app.inject({
      method: method as 'GET',
      url: path,
      headers,
      ...(body !== undefined && { payload: body }),
    });
    return {
      status: answer.statusCode,
      headers: answer.headers as JudgedAnswer['headers'],
      text: answer.body,
    };
  };

/** Over a socket of its own each: what Node's own parser makes of a request counts too. */
export const overSockets =
  (url: string): Send =>
  ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      // Node sends the body of a GET without its length, and the server would take it for another request.
      const length =
        body === undefined || 'transfer-encoding' in headers
          ? {}
          : { 'content-length': Buffer.byteLength(body) };
      const options = { hostname, port, method, path, headers: { ...headers, ...length }, agent: false };
      const outgoing = httpRequest(options, (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers as JudgedAnswer['headers'],
            text: Buffer.concat(pieces).toString('utf8'),
          });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
