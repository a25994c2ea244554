import type { NoticeFrame } from '../api/realtime.ts';
import type { Notice } from '../domain/notice.ts';
import type { Clock } from '../shared/clock.ts';
import { currentContext } from '../shared/context.ts';
import type { Facets } from './filter.ts';

/** Of one subject no more is told in this time than the first word and, at its end, the last. */
const EVERY_MS = 250;

/** Who is told, if the facets pass its filter. The frame is made once, when the first one wants it. */
export type Tell = (facets: Facets, frame: () => Uint8Array) => void;

interface Subject {
  /** The last word that was not told yet. */
  latest: (() => void) | undefined;
  readonly callOff: () => void;
}

/** What one owner's listeners are told besides the log. Never more than a word a subject waits. */
export class Notices {
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #subjects = new Map<string, Subject>();

  constructor(clock: Clock, tell: Tell) {
    this.#clock = clock;
    this.#tell = tell;
  }

  take(notice: Notice): void {
    const correlationId = currentContext()?.correlationId ?? '-';
    const send = (): void => this.#send(notice, correlationId);
    const subject = this.#subjects.get(notice.jobId);
    if (subject) subject.latest = send;
    else {
      this.#wait(notice.jobId);
      send();
    }
  }

  close(): void {
    for (const { callOff } of this.#subjects.values()) callOff();
    this.#subjects.clear();
  }

  #wait(id: string): void {
    const callOff = this.#clock.after(EVERY_MS, () => {
      const latest = this.#subjects.get(id)?.latest;
      this.#subjects.delete(id);
      if (!latest) return;
      this.#wait(id);
      latest();
    });
    this.#subjects.set(id, { latest: undefined, callOff });
  }

  #send({ type, jobId, at, kind, status, progress }: Notice, correlationId: string): void {
    const { done, total, failed } = progress;
    const frame: NoticeFrame = {
      action: 'notice',
      type,
      jobId,
      data: { kind, status, progress: { done, ...(total !== undefined && { total }), failed } },
      ref: `/api/v2/jobs/${jobId}`,
      timestamp: at,
      correlationId,
    };
    let bytes: Uint8Array | undefined;
    this.#tell(
      { type, nodeIds: [], tags: [], categories: [] },
      () => (bytes ??= Buffer.from(JSON.stringify(frame))),
    );
  }
}
