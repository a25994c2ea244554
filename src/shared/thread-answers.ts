import { parentPort, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { END, type ThreadAnswer, type ThreadRequest } from './thread.ts';

/** Answers the request of this place among those given; memory in `transfer` goes over without a copy. */
export type Reply = (at: number, answer: unknown, transfer?: readonly Transferable[]) => void;

/**
 * The other side of `Thread`: hands all requests that wait to `work`, which replies to each of them; what it throws
 * is thrown at the callers that have no reply yet. One that yields is handed over alone, when nothing else waits.
 * `onEnd` runs before the thread goes.
 */
export function answerRequests(
  work: (requests: readonly unknown[], reply: Reply) => void,
  onEnd: () => void,
): void {
  const port = parentPort;
  if (!port) throw new Error('this module is the entry of a worker thread');

  let answers: ThreadAnswer[] = [];
  const send = (transfer: readonly Transferable[]): void => {
    if (answers.length > 0) port.postMessage(answers, transfer);
    answers = [];
  };

  const answer = (asked: readonly ThreadRequest<unknown>[]): void => {
    const open = new Set(asked);
    try {
      work(
        asked.map(({ request }) => request),
        (at, value, transfer = []) => {
          const of = asked[at];
          if (!of || !open.delete(of)) throw new Error(`there is no open request ${at}`);
          answers.push({ id: of.id, answer: value });
          // That something is done waits for the next answer that says something: each message wakes the other side.
          if (value !== undefined) send(transfer);
        },
      );
    } catch (thrown) {
      for (const { id } of open) answers.push({ id, thrown });
    }
    send([]);
  };

  type Message = readonly ThreadRequest<unknown>[] | typeof END;
  const yielding: ThreadRequest<unknown>[] = [];
  port.on('message', (first: Message) => {
    let isEnding = false;
    let next: { message: Message } | undefined = { message: first };
    do {
      const asked: ThreadRequest<unknown>[] = [];
      for (; next; next = receiveMessageOnPort(port)) {
        if (next.message === END) isEnding = true;
        else for (const request of next.message) (request.yields ? yielding : asked).push(request);
      }
      if (asked.length > 0) answer(asked);
      else answer(yielding.splice(0, 1));
      next = receiveMessageOnPort(port);
    } while (next || yielding.length > 0);
    if (!isEnding) return;
    onEnd();
    port.close();
  });
}
