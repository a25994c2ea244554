import { SUBPROTOCOL } from '../api/realtime.ts';
import type { Principal } from '../services/principal.ts';
import { isOriginAllowed } from '../server/origin.ts';
import type { AuthorizerAnswer, AuthorizerEvent, SocketAnswer, SocketEvent } from './events.ts';
import { openConversation, type Parts } from './parts.ts';

const DONE: SocketAnswer = { statusCode: 200 };
/** Who is let in without a ticket says in its hello who it is. */
const SOMEBODY = 'somebody';

/** The function of every route of the WebSocket API, and the authorizer of its `$connect`. */
export async function socketFunction(parts: Parts): Promise<{
  readonly handler: (event: SocketEvent) => Promise<SocketAnswer>;
  readonly authorize: (event: AuthorizerEvent) => Promise<AuthorizerAnswer>;
}> {
  const { connections, settings, inContext } = parts;
  const { conversation, tickets } = await openConversation(parts);

  const connect = async ({ requestContext, headers = {} }: SocketEvent): Promise<SocketAnswer> => {
    const { connectionId, authorizer } = requestContext;
    if (!offered(headers).includes(SUBPROTOCOL)) return { statusCode: 400 };
    const given = authorizer?.['principal'];
    const principal = typeof given === 'string' ? (JSON.parse(given) as Principal) : undefined;
    await connections.arrive(connectionId, principal);
    return { statusCode: 200, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } };
  };

  return {
    handler: (event) =>
      inContext(undefined, async () => {
        const { routeKey, connectionId, messageId } = event.requestContext;
        if (routeKey === '$connect') return connect(event);
        if (routeKey === '$disconnect') {
          const arrival = await connections.arrival(connectionId);
          await connections.remove(connectionId, arrival?.owner);
          return DONE;
        }
        const { body = '', isBase64Encoded = false } = event;
        const text = isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;
        await conversation.hear(connectionId, messageId ?? '', text);
        return DONE;
      }),

    /** The page that connects is looked at, and a ticket in the address is taken: it is good once, so it may stand there. */
    authorize: (event) =>
      inContext(undefined, async () => {
        const { methodArn, headers = {}, queryStringParameters, requestContext } = event;
        const answer = (Effect: 'Allow' | 'Deny', principal?: Principal): AuthorizerAnswer => ({
          principalId: principal?.owner ?? SOMEBODY,
          policyDocument: {
            Version: '2012-10-17',
            Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: methodArn }],
          },
          ...(principal && { context: { principal: JSON.stringify(principal) } }),
        });
        const origin = header(headers, 'origin');
        if (!isOriginAllowed({ ...(origin !== undefined && { origin }) }, settings.allowedOrigins))
          return answer('Deny');
        const ticket = queryStringParameters?.['ticket'];
        if (ticket === undefined) return answer('Allow');
        const principal = await tickets.redeem(ticket, requestContext.connectionId);
        return principal ? answer('Allow', principal) : answer('Deny');
      }),
  };
}

function offered(headers: Readonly<Record<string, string | undefined>>): readonly string[] {
  return (header(headers, 'sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
}

/** The gateway passes names on as they were written. */
function header(headers: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
}
