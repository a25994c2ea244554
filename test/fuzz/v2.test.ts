import { fuzzVersion } from './fuzz.ts';

fuzzVersion(2);
