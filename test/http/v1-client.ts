import type * as api from '../../src/api/v1.ts';
import type { Client } from './client.ts';

/** The calls of an old client. */
export function v1Of({ sendRoot }: Client) {
  const send = <T = api.ErrorBody>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
    sendRoot<T>(method, `/api/v1${path}`, body);
  const want = async <T>(
    status: number,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const answer = await send<T>(method, path, body);
    if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.text}`);
    return answer.body;
  };
  return {
    send,
    get: <T>(path: string) => want<T>(200, 'GET', path),
    create: (content: string, more: object = {}) =>
      want<api.Node>(201, 'POST', '/nodes', { content, ...more }),
    category: (title: string) => want<api.Category>(201, 'POST', '/categories', { title }),
    post: <T>(path: string, body?: unknown) => want<T>(200, 'POST', path, body),
    put: <T>(path: string, body: unknown) => want<T>(200, 'PUT', path, body),
    assign: (category: string, nodeId: string) =>
      want<{ message: string }>(200, 'POST', `/categories/${category}/nodes`, { nodeId }),
  };
}
