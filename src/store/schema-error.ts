/**
 * What a caller is told of a state that does not pass the schema.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CheckpointError } from '../errors.js';
import { formatPath } from '../format/yaml/yaml-path.js';

/** `SCHEMA_INVALID` with every issue, and where the first of them is. */
export function schemaError(issues: readonly StandardSchemaV1.Issue[]): CheckpointError {
  const described = issues.map(({ message, path }) => {
    const steps = (path ?? []).map((step) => (typeof step === 'object' ? step.key : step));
    const at = formatPath(steps.map((step) => (typeof step === 'symbol' ? String(step) : step)));
    return { path: at, message };
  });
  const [first] = described;
  const more = described.length > 1 ? ` (and ${described.length - 1} more)` : '';
  return new CheckpointError(
    'SCHEMA_INVALID',
    `The state does not pass the schema at ${first?.path || 'its root'}: ${first?.message}${more}.`,
    { ...(first && { path: first.path }), issues: described },
  );
}
