import { writeSync } from 'node:fs';
import { SqliteTable } from '../../src/storage/embedded/sqlite-table.ts';

// A process for tests to kill: opens the table of its first argument and writes until it dies. Each number it prints
// is of a transaction of two items that was acknowledged. With a second argument, that many and no more.
const [path = '', count = 'Infinity'] = process.argv.slice(2);
const table = new SqliteTable({ path });
writeSync(1, 'open\n');

async function write(number: number): Promise<void> {
  const put = (sk: string) => ({ put: { pk: 'written', sk, et: 'test.1', j: JSON.stringify({ number }) } });
  await table.transact([[put(`a${number}`), put(`b${number}`)]]);
  writeSync(1, `${number}\n`);
}

for (let number = 0; number < Number(count); number += 3) {
  await Promise.all([write(number), write(number + 1), write(number + 2)]); // of one commit
}
await table.close();
