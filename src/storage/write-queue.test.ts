import * as fc from 'fast-check';
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
      const taken: (Work | undefined)[] = [];
      const expected: (Work | undefined)[] = [];
      let out: Work[] = [];
      const sizes: [number, number][] = [];
      let name = 0;
      for (const step of actions) {
        if ('push' in step) {
          const work = { name: name++, bulk: step.push };
          queue.push(work);
          model.push(work);
        } else if ('take' in step) {
          const next = model.find((work) => !work.bulk) ?? (step.take ? undefined : model[0]);
          taken.push(queue.take(step.take));
          expected.push(next);
          model = model.filter((each) => each !== next);
          if (next) out.push(next);
        } else {
          const back = expected
            .splice(0)
            .slice(-step.putBack)
            .filter((work) => work !== undefined);
          queue.putBack(back);
          model.unshift(...back);
          taken.splice(0);
        }
        sizes.push([queue.size, model.length]);
      }
      expect(taken).toEqual(expected);
      for (const [size, modelled] of sizes) expect(size).toBe(modelled);
    }),
  );
});
