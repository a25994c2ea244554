import { FRAME_LIMITS } from '../api/realtime.ts';
import { partsOf } from '../domain/event.ts';
import type { OwnerId } from '../domain/values.ts';
import type { LoggedEvent } from '../storage/log.ts';

/** A CloudEvent 1.0 in its structured JSON form, with our own attributes beside the standard's. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** `<owner>/<epoch>/<seq>`: an event that comes twice comes with the same. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** Of the note, the edge or the category. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly owner: string;
  readonly epoch: string;
  /** In the order of an owner's commits, without gaps: the bus keeps no order, whoever needs one has this. */
  readonly seq: number;
  /** The version of what it is of. */
  readonly version: number;
  readonly correlationid: string;
  /** Null where it takes more than 24 KB; then `dataref` says where it is read. */
  readonly data: object | null;
  readonly dataref?: string;
}

export function cloudEvent(owner: OwnerId, epoch: string, logged: LoggedEvent): CloudEvent {
  const { seq, at, correlationId, event } = logged;
  const { type, version, ids, data } = partsOf(event);
  const whole = { ...ids, ...data };
  const isTooLarge = Buffer.byteLength(JSON.stringify(whole)) > FRAME_LIMITS.dataBytes;
  const ref = `/api/v2/changes?after=${seq - 1}&epoch=${encodeURIComponent(epoch)}&limit=1`;
  return {
    specversion: '1.0',
    id: `${owner}/${epoch}/${seq}`,
    source: `/brain2/owners/${encodeURIComponent(owner)}`,
    type,
    subject: Object.values(ids)[0] ?? '',
    time: at,
    datacontenttype: 'application/json',
    owner,
    epoch,
    seq,
    version,
    correlationid: correlationId,
    ...(isTooLarge ? { data: null, dataref: ref } : { data: whole }),
  };
}
