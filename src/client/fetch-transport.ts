import type { Transport } from './http-client.ts';

/**
 * Requests by `fetch`, so in a browser too. A body that comes in pieces is sent when it is whole, for browsers cannot
 * send one as it comes.
 */
export function fetchTransport(
  baseUrl: string,
  options: { readonly token?: string | undefined; readonly fetch?: typeof globalThis.fetch | undefined } = {},
): Transport {
  const { token, fetch: send = globalThis.fetch } = options;
  return async ({ method, path, headers, body }) => {
    const whole =
      body === undefined || typeof body === 'string'
        ? body
        : new Blob((await Array.fromAsync(body)) as Uint8Array<ArrayBuffer>[]);
    const answer = await send(new URL(path, baseUrl), {
      method,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(whole !== undefined && { body: whole }),
    });
    return { status: answer.status, headers: answer.headers, body: piecesOf(answer.body) };
  };
}

/** By its reader: not every browser lets a stream be iterated. */
async function* piecesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  try {
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) return;
      yield piece.value;
    }
  } finally {
    await reader?.cancel(); // who leaves before the end would hold the connection
  }
}
