import type { Admission, Gate } from '../http/admission.ts';
import { counter, gauge } from './exposition-lines.ts';

/** What the gates of requests tell, in the text format of Prometheus (version 0.0.4). */
export function admissionExposition(admission: Admission): string {
  const of = (read: (gate: Gate) => number) => ({
    get: () => 0,
    all: Object.entries(admission).map(([kind, gate]) => [kind, read(gate)] as const),
  });
  const lines = [
    ...gauge(
      'admission_waiting',
      'Requests that are not answered yet.',
      of((gate) => gate.inside),
      'class',
    ),
    ...gauge(
      'admission_limit',
      'Requests that are let in at once.',
      of((gate) => gate.limit),
      'class',
    ),
    ...counter(
      'admission_refused_total',
      'Requests refused as overloaded.',
      of((gate) => gate.refused),
      'class',
    ),
  ];
  return `${lines.join('\n')}\n`;
}
