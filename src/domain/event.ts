import type { CategoryEvent } from './category.ts';
import type { EdgeEvent } from './edge.ts';
import type { NodeEvent } from './node.ts';

/** Everything that can happen. The union is closed: a new kind of change starts here. */
export type DomainEvent = NodeEvent | EdgeEvent | CategoryEvent;
