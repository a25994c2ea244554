import { workerJob } from '../src/shared/worker-job.ts';
import { linkedPairs, type PairsJob } from './all-pairs.ts';

export const work = workerJob((job: PairsJob) => linkedPairs(job));
