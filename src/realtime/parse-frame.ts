import { Ajv, type ValidateFunction } from 'ajv';
import { CLIENT_FRAMES, type ClientFrame } from '../api/realtime.ts';
import { nearest } from '../shared/nearest.ts';

/** A frame that was understood, or what is wrong with it. */
export type Parsed =
  | { readonly kind: 'frame'; readonly frame: ClientFrame }
  | {
      readonly kind: 'refused';
      readonly code: 'bad_json' | 'unknown_action' | 'bad_frame';
      readonly message: string;
    };

const ajv = new Ajv({ strict: false, meta: false, validateSchema: false });
/** Compiled when the first frame of the kind comes, so that a start pays for none. */
const checks = new Map<string, ValidateFunction>();

const ACTIONS = Object.keys(CLIENT_FRAMES);

export function parseFrame(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refused', code: 'bad_json', message: 'the frame is not JSON' };
  }
  const action = (value as { action?: unknown } | null)?.action;
  if (typeof action !== 'string' || !Object.hasOwn(CLIENT_FRAMES, action)) return unknownAction(action);
  const check = checkOf(action as ClientFrame['action']);
  if (check(value)) return { kind: 'frame', frame: value as ClientFrame };
  const [first] = check.errors ?? [];
  const where = first?.instancePath.slice(1).replaceAll('/', '.') || action;
  return { kind: 'refused', code: 'bad_frame', message: `${where} ${first?.message ?? 'is invalid'}` };
}

function unknownAction(action: unknown): Parsed {
  const allowed = `the actions are ${ACTIONS.join(', ')}`;
  if (typeof action !== 'string')
    return { kind: 'refused', code: 'unknown_action', message: `a frame has an action; ${allowed}` };
  const name = action.slice(0, 64).toWellFormed();
  const message = `${name} is no action; did you mean ${nearest(name, ACTIONS) ?? ''}? ${allowed}`;
  return { kind: 'refused', code: 'unknown_action', message };
}

function checkOf(action: ClientFrame['action']): ValidateFunction {
  let check = checks.get(action);
  if (!check) {
    check = ajv.compile(CLIENT_FRAMES[action]);
    checks.set(action, check);
  }
  return check;
}
