import { Ajv, type ValidateFunction } from 'ajv';
import { CLIENT_FRAMES, SERVER_FRAMES, type ClientFrame, type ServerFrame } from '../../src/api/realtime.ts';
import asyncapi from '../../docs/asyncapi.json' with { type: 'json' };

interface Message {
  readonly payload: object;
}

/** The schemas as the document has them: what is published is what every frame is held to. */
const messages = asyncapi.components.messages as unknown as Readonly<Record<string, Message>>;
const ajv = new Ajv({ strict: false });
const checks = new Map<string, ValidateFunction>();

function check(side: 'server' | 'client', action: string): ValidateFunction {
  const name = `${side}.${action}`;
  let found = checks.get(name);
  if (!found) {
    const message = messages[name];
    if (!message) throw new Error(`the document has no message ${name}`);
    found = ajv.compile(message.payload);
    checks.set(name, found);
  }
  return found;
}

/** A frame of the server, held to the document. Every test reads its frames through this. */
export function serverFrame(text: string): ServerFrame {
  const frame = JSON.parse(text) as ServerFrame;
  const valid = check('server', frame.action);
  if (!valid(frame))
    throw new Error(`not a frame of the document: ${ajv.errorsText(valid.errors)} in ${text.slice(0, 300)}`);
  return frame;
}

/** A frame of the client, held to the document. */
export function clientFrame(text: string): ClientFrame {
  const frame = JSON.parse(text) as ClientFrame;
  const valid = check('client', frame.action);
  if (!valid(frame))
    throw new Error(`not a frame of the document: ${ajv.errorsText(valid.errors)} in ${text}`);
  return frame;
}

export const ACTIONS = { server: Object.keys(SERVER_FRAMES), client: Object.keys(CLIENT_FRAMES) };
