import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WriteQueue } from './write-queue.ts';

interface Work {
  readonly name: number;
  readonly bulk: boolean;
}

test('a queue of writes gives each once, in order within its kind, and bulk only when nobody else waits', () => {
  const action = fc.oneof(
    fc.record({ push: fc.boolean() }),
    fc.record({ take: fc.boolean() }),
    fc.record({ putBack: fc.nat({ max: 3 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const queue = new WriteQueue<Work>();
      let model: Work[] = [];
      const taken: Work[] = [];
      let name = 0;
      for (const step of actions) {
        if ('push' in step) {
          const work = { name: name++, bulk: step.push };
          queue.push(work);
          model.push(work);
        } else if ('take' in step) {
          const expected = model.find((work) => !work.bulk) ?? (step.take ? undefined : model[0]);
          const work = queue.take(step.take);
          expect(work).toEqual(expected);
          model = model.filter((each) => each !== work);
          if (work) taken.push(work);
        } else {
          const back = taken.splice(-step.putBack, step.putBack);
          queue.putBack(back);
          model.unshift(...back);
        }
        expect(queue.size).toBe(model.length);
      }
    }),
  );
});
