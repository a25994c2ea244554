import { answerRequests } from '../shared/thread-answers.ts';
import type { IndexCall } from './index-calls.ts';
import { IndexWork } from './index-work.ts';

// The thread in which the indexes of the owners served here live.
const work = new IndexWork();

answerRequests(
  (requests, reply) => {
    requests.forEach((request, at) => {
      const answer = work.answer(request as IndexCall);
      reply(at, answer, answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : []);
    });
  },
  () => work.clear(),
);
