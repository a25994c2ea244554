import type { Job } from '../../src/api/v2-jobs.ts';
import type { LinkerRun } from '../../src/api/v2-linker.ts';
import type { Recording } from './recorder.ts';

// Long work of v2, for `examples-v2.ts`.

export async function recordJobs(record: Recording): Promise<void> {
  const { body: job } = await record<Job>('importNotes', {
    shows: 'Notes that are taken on, and imported by a job',
    parameters: { collection: 'Herbs' },
    body: { items: [{ key: 'Mint', title: 'Mint', content: 'Mint grows in the shade.' }, { key: 'Blank' }] },
    status: 202,
  });
  await record('listJobs', {
    whenIdle: true,
    shows: 'Imports that are done',
    parameters: { kind: 'import', status: 'done' },
  });
  await record('getJob', { shows: 'An import that is done', parameters: { id: job.id } });
  await record('listJobItems', { shows: 'One note of two', parameters: { id: job.id, limit: '1' } });
  await record('cancelJob', {
    shows: 'A job that has ended already',
    parameters: { id: job.id },
    headers: { 'idempotency-key': 'no-more-herbs' },
  });
  const { body: made } = await record<Job>('createExport', {
    shows: 'Everything as NDJSON',
    headers: { 'idempotency-key': 'backup-of-today' },
    body: { format: 'ndjson' },
    status: 202,
  });
  await record('getExportContent', {
    shows: 'The whole of it',
    whenIdle: true,
    parameters: { id: made.id },
  });
  await record('getExportContent', {
    shows: 'Its first bytes',
    parameters: { id: made.id },
    headers: { range: 'bytes=0-99' },
    status: 206,
  });
  await record('deleteExportContent', { shows: 'An export that was fetched', parameters: { id: made.id } });
}

export async function recordLinker(record: Recording): Promise<void> {
  const status = 202;
  const { body: dry } = await record<LinkerRun>('createLinkerRun', {
    shows: 'A dry run',
    body: { dryRun: true },
    status,
  });
  const parameters = { id: dry.id };
  await record('getLinkerRun', { shows: 'A dry run that is done', whenIdle: true, parameters });
  await record('listLinkerRunEdges', {
    shows: 'The edges that it would change',
    parameters: { ...parameters, change: 'changed', limit: '10' },
  });
  const { body: applied } = await record<LinkerRun>('applyLinkerRun', {
    shows: 'The dry run, applied',
    parameters,
    status,
  });
  await record('revertLinkerRun', {
    shows: 'What it changed, taken back',
    whenIdle: true,
    parameters: { id: applied.id },
    status,
  });
  await record('revertLinkerRun', {
    shows: 'A run that was taken back already',
    whenIdle: true,
    parameters: { id: applied.id },
    status: 409,
  });
  await record('listLinkerRuns', { shows: 'The newest run', parameters: { limit: '1' } });
}
