import type { Admission } from '../http/admission.ts';
import type { Exposition } from '../http/metrics.ts';
import type { Hub } from '../realtime/hub.ts';
import type { VaultWorkers } from './vault-workers.ts';
import { admissionExposition } from './admission-exposition.ts';
import { realtimeExposition } from './realtime-exposition.ts';
import { workersExposition } from './workers-exposition.ts';

/** What the parts count themselves, beside what the process counts. */
export function wholeExposition(
  exposition: Exposition,
  { hub, workers, gates }: { readonly hub: Hub; readonly workers: VaultWorkers; readonly gates: Admission },
): Exposition {
  const parts = () => [
    realtimeExposition(hub.metrics),
    workersExposition(workers.metrics),
    admissionExposition(gates),
  ];
  return { ...exposition, text: async () => [await exposition.text(), ...parts()].join('') };
}
