import { workerData } from 'node:worker_threads';
import { answerRequests } from '../../src/shared/thread-answers.ts';

// A thread for tests: answers with what it is asked, throws at 'throw', dies at 'die', and tells how many came at once.
answerRequests(
  (requests, reply) => {
    requests.forEach((request, at) => {
      if (request === 'throw') throw new Error('it threw');
      if (request === 'die') process.exit(3);
      reply(at, { request, together: requests.length, data: workerData as unknown });
    });
  },
  () => {},
);
